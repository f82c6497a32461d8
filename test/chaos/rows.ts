import { backendRows } from './backend-rows.ts'
import { changeRows } from './change-rows.ts'
import { clientRows } from './client-rows.ts'
import { endingRows } from './ending-rows.ts'
import { nodeRows } from './node-rows.ts'
import { partitionRows } from './partition-rows.ts'
import { redisElsewhereRows } from './redis-elsewhere-rows.ts'
import { redisRows } from './redis-rows.ts'
import type { Row } from './row.ts'

/** The failure matrix, by number. */
export const rows: readonly Row[] = [
  ...redisRows,
  ...redisElsewhereRows,
  ...partitionRows,
  ...nodeRows,
  ...endingRows,
  ...backendRows,
  ...clientRows,
  ...changeRows,
].sort((one, other) => one.number - other.number)

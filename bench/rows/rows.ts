import { body1m, body64k } from './bodies.ts'
import { followUps } from './follow-ups.ts'
import { idleConnections } from './idle-connections.ts'
import { knownSession } from './known-session.ts'
import { loopingScript } from './looping-script.ts'
import { newSession } from './new-session.ts'
import { redisMemory } from './redis-memory.ts'
import { rollingCookie } from './rolling-cookie.ts'
import type { Row } from './row.ts'
import { strategies } from './strategies.ts'

/** Every row, in the order they run. */
export const rows: readonly Row[] = [
  knownSession,
  newSession,
  rollingCookie,
  body64k,
  body1m,
  idleConnections,
  followUps,
  redisMemory,
  strategies,
  loopingScript,
]

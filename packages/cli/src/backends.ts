import type { BackendResource, PoolQuery } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'

const columns: readonly Column<BackendResource>[] = [
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'WEIGHT', value: ({ weight }) => weight, align: 'right' },
  { title: 'SESSIONS', value: ({ sessions }) => sessions ?? '-', align: 'right' },
  { title: 'IN FLIGHT', value: ({ inFlight }) => inFlight ?? '-', align: 'right' },
  { title: 'URL', value: ({ url }) => url },
]

/** `sticky-cli backends`: the configured backends and what they carry. */
export async function listBackends({ api, output }: CommandContext, query: PoolQuery): Promise<void> {
  const list = await api.backends(query)
  await printDocument(output, list, () => table(columns, list.backends, output.color))
}

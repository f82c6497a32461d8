import type { LoadResource, PoolQuery } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'

const columns: readonly Column<LoadResource>[] = [
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ backend }) => backend },
  { title: 'WEIGHT', value: ({ weight }) => weight ?? '-', align: 'right' },
  { title: 'CLUSTER', value: ({ cluster }) => cluster, align: 'right' },
  { title: 'THIS NODE', value: ({ node }) => node, align: 'right' },
]

/** `sticky-cli load`: exchanges in flight by backend, in the cluster and on the node that answers. */
export async function showLoad({ api, output }: CommandContext, query: PoolQuery): Promise<void> {
  const list = await api.load(query)
  await printDocument(output, list, () => table(columns, list.load, output.color))
}

import type { NodeFlag, NodeList, NodeResource } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { CommandFailure, exitCodes } from './failures.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'
import { type Clock, formatDuration, timeSince } from './times.ts'

const flagWords: Readonly<Record<NodeFlag, string>> = {
  'other-configuration': 'OTHER CONFIGURATION',
  'duplicate-id': 'DUPLICATE ID',
}

const columns = (clock: Clock): readonly Column<NodeResource>[] => [
  { title: 'NODE', value: ({ id, self }) => (self ? `${id}*` : id) },
  { title: 'ADDRESSES', value: ({ addresses }) => addresses.join(',') || '-' },
  { title: 'WORKERS', value: ({ workers }) => workers, align: 'right' },
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'HOST', value: ({ host }) => host },
  { title: 'PID', value: ({ pid }) => pid, align: 'right' },
  { title: 'UP', value: ({ started }) => timeSince(started, clock()), align: 'right' },
  { title: 'STORE', value: ({ away }) => (away === null ? 'connected' : `away ${formatDuration(away * 1000)}`) },
  { title: 'HEARD', value: ({ silent }) => `${formatDuration(silent * 1000)} ago`, align: 'right' },
  { title: 'CONFIGURATION', value: ({ configHash }) => configHash.slice(0, 12) },
  { title: 'FLAGS', value: ({ flags }) => flags.map((flag) => flagWords[flag] ?? flag).join(', ') },
]

/** `sticky-cli nodes`: the live nodes, the one that answers starred, each that differs flagged. */
export async function listNodes({ api, output, clock }: CommandContext): Promise<void> {
  const list = await api.nodes()
  await printDocument(output, list, () => table(columns(clock), list.nodes, output.color))
  for (const sentence of disagreements(list)) output.note(sentence)
  if (!list.complete)
    throw new CommandFailure(exitCodes.failed, 'the store does not answer: only the node that answers is listed')
}

function disagreements({ agree, nodes }: NodeList): string[] {
  const twins = new Set(nodes.filter(({ flags }) => flags.includes('duplicate-id')).map(({ id }) => id))
  const others = nodes.filter(({ flags }) => flags.includes('other-configuration')).map(({ id }) => id)
  return [
    ...[...twins].map((id) => `several live nodes call themselves ${id}: give each its own node.id`),
    ...(agree ? [] : [`the nodes run different configurations: compare that of ${others.join(', ')} with the rest`]),
  ]
}

import type { BackendChange, BackendResource, PoolQuery, WantedState } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { demandAcknowledged } from './failures.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'
import { type Clock, timeSince } from './times.ts'

/** A backend as commands name it, `POOL/BACKEND`. */
export interface BackendName {
  readonly pool: string
  readonly backend: string
}

const columns = (clock: Clock): readonly Column<BackendResource>[] => [
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'FOR', value: ({ since }) => (since === null ? '-' : timeSince(since, clock())), align: 'right' },
  { title: 'WEIGHT', value: ({ weight }) => weight, align: 'right' },
  { title: 'SESSIONS', value: ({ sessions }) => sessions ?? '-', align: 'right' },
  { title: 'IN FLIGHT', value: ({ inFlight }) => inFlight ?? '-', align: 'right' },
  { title: 'CHECK', value: ({ check }) => found(check) },
  { title: 'URL', value: ({ url }) => url },
]

/** What health checks find, in a few words. */
function found(check: BackendResource['check']): string {
  if (check === null) return '-'
  const { up, reason } = check
  const said = up === null ? 'not yet' : up ? 'up' : 'down'
  return reason === null ? said : `${said}, ${reason}`
}

/** `sticky-cli backends`: the configured backends and what they carry. */
export async function listBackends({ api, output, clock }: CommandContext, query: PoolQuery): Promise<void> {
  const list = await api.backends(query)
  await printDocument(output, list, () => table(columns(clock), list.backends, output.color))
}

/** `sticky-cli backends ready|maint`: gives a backend that state on every node. */
export async function setState(context: CommandContext, name: BackendName, state: WantedState): Promise<void> {
  await change(context, name, { state }, `is set to ${state}`)
}

/** `sticky-cli backends weight`: gives a backend that weight on every node; null: the configured one again. */
export async function setWeight(context: CommandContext, name: BackendName, weight: number | null): Promise<void> {
  await change(context, name, { weight }, weight === null ? 'has its configured weight again' : `has weight ${weight}`)
}

async function change(
  { api, output }: CommandContext,
  { pool, backend }: BackendName,
  change: BackendChange,
  what: string,
): Promise<void> {
  const changed = await api.changeBackend(pool, backend, change)
  await printDocument(output, changed, () => `${pool}/${backend} ${what}: ${describe(changed)}\n`)
  demandAcknowledged(`${pool}/${backend} ${what}`, changed)
}

/** How a backend is, in a few words. */
export function describe(resource: BackendResource): string {
  const { state, weight } = resource
  return `${state}, weight ${weight}, ${carried(resource)}`
}

/** What a backend carries, in a few words. */
export function carried({ sessions, inFlight, keepsSessions }: BackendResource): string {
  const exchanges = `${inFlight ?? '?'} in flight`
  return keepsSessions ? `${sessions ?? '?'} sessions, ${exchanges}` : exchanges
}

import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import type { Milliseconds } from './times.ts'

/** What is called by a name that a node knows. */
export const kinds = ['pool', 'backend', 'pool/backend', 'node'] as const

/** One of `kinds`. */
export type Kind = (typeof kinds)[number]

/** Nobody waits for longer at a prompt. */
const patience: Milliseconds = 1_000

/** `sticky-cli names`: what may be called so; nothing where the node does not say so at once. */
export async function printNames({ api, output }: CommandContext, kind: Kind): Promise<void> {
  const names = await Promise.race([
    namesOf[kind](api).catch(() => []),
    delay(patience, [] as readonly string[], { ref: false }),
  ])
  for (const name of new Set(names.filter(isPlain))) await output.print(`${name}\n`)
}

const namesOf: Readonly<Record<Kind, (api: AdminApi) => Promise<readonly string[]>>> = {
  pool: async (api) => (await api.backends({})).backends.map(({ pool }) => pool),
  backend: async (api) => (await api.backends({})).backends.map(({ id }) => id),
  'pool/backend': async (api) => (await api.backends({})).backends.map(({ pool, id }) => `${pool}/${id}`),
  node: async (api) => (await api.nodes()).nodes.map(({ id }) => id),
}

/** Shells expand what they are offered, so that who answers in a node's place could run what it likes. */
function isPlain(name: string): boolean {
  return /^[\w.-]+(\/[\w.-]+)?$/.test(name)
}

import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { type ClusterTable, type Milliseconds, StoreUnavailable } from '@sticky/store'

import type { Log } from './log.ts'

/** What all nodes of a cluster must share to honour each other's sessions. */
export interface SharedSecrets {
  /** What session cookies are sealed with, the newest first. */
  readonly sealing: readonly string[]
  /** What application cookies are fingerprinted with; never rotates. */
  readonly fingerprint: string
}

const names = { sealing: 'sealing', fingerprint: 'fingerprint' } as const

const pause: Milliseconds = 50

/** A store that is slower to answer than this is not waited for: known sessions can be served without it. */
const patience: Milliseconds = 1000

/**
 * The configured sealing secrets, or the cluster's own, and its fingerprint secret. While the store cannot tell, they are
 * this node's own, until `keepSecrets` learns the cluster's.
 */
export async function sharedSecrets(
  cluster: Pick<ClusterTable, 'secret'>,
  configured: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<SharedSecrets> {
  const proposal = ownSecrets(configured)
  for (let waited = 0; ; waited += pause) {
    try {
      return await ask(cluster, configured, proposal)
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      if (waited >= patience || isRefused(error)) {
        log.warn({ reason: error.message }, 'starting without the store')
        return { sealing: configured.length > 0 ? configured : [proposal.sealing], fingerprint: proposal.fingerprint }
      }
      await delay(pause, undefined, { signal })
    }
  }
}

/**
 * Asks again, so that a store that forgot has them back. Where another node was quicker, its sealing secret comes first and ours
 * still opens what it sealed; its fingerprint secret is everybody's, or nodes would not know each other's sessions.
 */
export async function keepSecrets(
  cluster: Pick<ClusterTable, 'secret'>,
  configured: readonly string[],
  held: SharedSecrets,
): Promise<SharedSecrets> {
  const inForce = await ask(cluster, configured, { sealing: held.sealing[0]!, fingerprint: held.fingerprint })
  const sealing = [...inForce.sealing, ...held.sealing.filter((secret) => !inForce.sealing.includes(secret))]
  return { sealing, fingerprint: inForce.fingerprint }
}

/** Does nobody listen there? Then waiting a little longer is of no use. */
function isRefused({ cause }: StoreUnavailable): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

interface Proposal {
  readonly sealing: string
  readonly fingerprint: string
}

async function ask(
  cluster: Pick<ClusterTable, 'secret'>,
  configured: readonly string[],
  own: Proposal,
): Promise<SharedSecrets> {
  const [fingerprint, ...sealing] = await Promise.all([
    cluster.secret(names.fingerprint, own.fingerprint),
    ...(configured.length > 0 ? configured : [cluster.secret(names.sealing, own.sealing)]),
  ])
  return { sealing, fingerprint }
}

/** What this node proposes. Nodes with the same secrets propose, and without a store use, the same fingerprint secret. */
function ownSecrets(configured: readonly string[]): Proposal {
  const oldest = configured.at(-1)
  const fingerprint =
    oldest === undefined ? randomBytes(32) : createHmac('sha256', oldest).update('fingerprint').digest()
  return { sealing: randomBytes(32).toString('base64url'), fingerprint: fingerprint.toString('base64url') }
}

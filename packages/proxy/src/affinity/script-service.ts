import type { Milliseconds } from '@sticky/store'

import type { ScriptConfig } from '../config/config.ts'
import { isOwnedField } from '../wire/request-head.ts'
import { ScriptFaults, type ScriptLog } from './script-faults.ts'
import { ScriptHost } from './script-host.ts'

/** Runs the hooks of one script. */
export type ScriptRunner = Pick<ScriptHost, 'request' | 'response' | 'failed'>

/** Whoever makes a strategy gets what runs its script here. */
export interface ScriptHosts {
  host(config: ScriptConfig, pool: { readonly pool: string; readonly backends: ReadonlySet<string> }): ScriptRunner
}

/** What went wrong with the scripts of a pool so far. */
export interface ScriptFaultCount {
  readonly pool: string
  readonly kind: string
  readonly count: number
}

/** What the scripts of a worker need. */
export interface ScriptServices {
  /** Ids of all pools. */
  readonly pools: ReadonlySet<string>
  readonly log: ScriptLog
  /** Monotonic. */
  readonly clock: () => Milliseconds
}

/** The scripts of one worker process: asked for while its topology is built, loaded before it serves. */
export class Scripts implements ScriptHosts, AsyncDisposable {
  readonly #services: ScriptServices
  readonly #hosts: { readonly config: ScriptConfig; readonly pool: string; readonly host: ScriptHost }[] = []

  constructor(services: ScriptServices) {
    this.#services = services
  }

  host(config: ScriptConfig, { pool, backends }: { pool: string; backends: ReadonlySet<string> }): ScriptHost {
    const { pools, log, clock } = this.#services
    const faults = new ScriptFaults({ pool, script: config.script }, log, clock)
    const host = new ScriptHost(config, { pool, backends, pools, isOwned: isOwnedField }, faults, log)
    this.#hosts.push({ config, pool, host })
    return host
  }

  /** Loads every script; rejects with a sentence that tells which one could not be, and why. */
  async open(): Promise<void> {
    await Promise.all(
      this.#hosts.map(({ config, pool, host }) =>
        host.open().catch((cause: unknown) => {
          throw new ScriptUnusable(`script ${config.file} of pool ${pool} cannot be used: ${reasonOf(cause)}`, {
            cause,
          })
        }),
      ),
    )
  }

  /** By pool and kind, of those that occurred. */
  faults(): ScriptFaultCount[] {
    const totals = new Map<string, ScriptFaultCount>()
    for (const { pool, host } of this.#hosts) {
      for (const [kind, count] of Object.entries(host.faults.counts)) {
        const before = totals.get(`${pool} ${kind}`)?.count ?? 0
        if (count > 0) totals.set(`${pool} ${kind}`, { pool, kind, count: before + count })
      }
    }
    return [...totals.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map(({ host }) => host[Symbol.asyncDispose]()))
  }
}

/** A script that cannot be loaded, or has no hooks. */
export class ScriptUnusable extends Error {
  override readonly name = 'ScriptUnusable'
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]! : String(cause)
}

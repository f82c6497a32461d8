import type { Milliseconds } from '@sticky/store'

import type { PoolConfig, ScriptConfig } from '../config/config.ts'
import { isOwnedField } from '../wire/request-head.ts'
import type { Namable } from './script-decision.ts'
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

/** How long exchanges that began before may still use a script that was taken out. */
const afterlife: Milliseconds = 10_000

/**
 * The scripts of one worker process: asked for while a topology is built, loaded before it serves. Those that another topology asks
 * for as they are go on with what they remember.
 */
export class Scripts implements ScriptHosts, AsyncDisposable {
  readonly #services: ScriptServices
  readonly #hosts = new Map<string, Hosted>()
  /** Asked for by a topology that does not serve yet. */
  readonly #coming = new Map<string, Hosted>()
  /** Taken out, and soon gone. */
  readonly #retired = new Map<string, { readonly hosted: Hosted; readonly end: NodeJS.Timeout }>()
  /** Faults of those that are gone, so that no count ever falls. */
  readonly #past = new Map<string, ScriptFaultCount>()

  constructor(services: ScriptServices) {
    this.#services = services
  }

  host(config: ScriptConfig, { pool, backends }: { pool: string; backends: ReadonlySet<string> }): ScriptHost {
    const key = keyOf(pool, config)
    const known = this.#hosts.get(key) ?? this.#coming.get(key) ?? this.#recall(key)
    if (known !== undefined) return known.host
    const { pools, log, clock } = this.#services
    const faults = new ScriptFaults({ pool, script: config.script }, log, clock)
    const named = { pool, backends, pools, isOwned: isOwnedField }
    const hosted = { config, pool, named, host: new ScriptHost(config, named, faults, log), hasServed: false }
    this.#coming.set(key, hosted)
    return hosted.host
  }

  /** Loads every script that is not; rejects with a sentence that tells which one could not be, and why. */
  async open(): Promise<void> {
    await Promise.all(
      Array.from(this.#coming.values(), ({ config, pool, host }) =>
        host.open().catch((cause: unknown) => {
          throw new ScriptUnusable(`script ${config.file} of pool ${pool} cannot be used: ${reasonOf(cause)}`, {
            cause,
          })
        }),
      ),
    )
  }

  /** The topology of these pools serves now: what it does not ask for ends soon. */
  adopt(pools: readonly PoolConfig[]): void {
    for (const [key, hosted] of this.#coming) this.#hosts.set(key, Object.assign(hosted, { hasServed: true }))
    this.#coming.clear()
    const ids = new Set(pools.map(({ id }) => id))
    const wanted = new Map(pools.flatMap((pool) => scriptsOf(pool).map((script) => [keyOf(pool.id, script), pool])))
    for (const [key, hosted] of this.#hosts) {
      const pool = wanted.get(key)
      if (pool === undefined) this.#retire(key, hosted)
      else Object.assign(hosted.named, { pools: ids, backends: new Set(pool.backends.map(({ id }) => id)) })
    }
  }

  /** The topology that asked last will not serve. */
  async abandon(): Promise<void> {
    const asked = [...this.#coming]
    this.#coming.clear()
    for (const [key, hosted] of asked) if (hosted.hasServed) this.#retire(key, hosted)
    await Promise.all(asked.map(([, { hasServed, host }]) => (hasServed ? undefined : host[Symbol.asyncDispose]())))
  }

  /** By pool and kind, of those that occurred. */
  faults(): ScriptFaultCount[] {
    const totals = new Map(this.#past)
    for (const hosted of this.#all) addFaults(totals, hosted)
    return [...totals.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { end } of this.#retired.values()) clearTimeout(end)
    await Promise.all(this.#all.map(({ host }) => host[Symbol.asyncDispose]()))
  }

  get #all(): Hosted[] {
    const retired = Array.from(this.#retired.values(), ({ hosted }) => hosted)
    return [...this.#hosts.values(), ...this.#coming.values(), ...retired]
  }

  /** Asked for again while it is not gone yet: it goes on. */
  #recall(key: string): Hosted | undefined {
    const retired = this.#retired.get(key)
    if (retired === undefined) return undefined
    clearTimeout(retired.end)
    this.#retired.delete(key)
    this.#coming.set(key, retired.hosted)
    return retired.hosted
  }

  #retire(key: string, hosted: Hosted): void {
    this.#hosts.delete(key)
    const end = () => {
      this.#retired.delete(key)
      addFaults(this.#past, hosted)
      hosted.host[Symbol.asyncDispose]().catch(() => {})
    }
    this.#retired.set(key, { hosted, end: setTimeout(end, afterlife).unref() })
  }
}

interface Hosted {
  readonly config: ScriptConfig
  readonly pool: string
  readonly named: Namable
  readonly host: ScriptHost
  /** Was it part of a topology that served? */
  hasServed: boolean
}

function addFaults(totals: Map<string, ScriptFaultCount>, { pool, host }: Hosted): void {
  for (const [kind, count] of Object.entries(host.faults.counts)) {
    const before = totals.get(`${pool} ${kind}`)?.count ?? 0
    if (count > 0) totals.set(`${pool} ${kind}`, { pool, kind, count: before + count })
  }
}

/** A script is the same as long as its file and options are. */
function keyOf(pool: string, config: ScriptConfig): string {
  return JSON.stringify([pool, config])
}

function scriptsOf({ affinity }: PoolConfig): ScriptConfig[] {
  return affinity.filter((strategy) => strategy.strategy === 'script')
}

/** A script that cannot be loaded, or has no hooks. */
export class ScriptUnusable extends Error {
  override readonly name = 'ScriptUnusable'
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]! : String(cause)
}

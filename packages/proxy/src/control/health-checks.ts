import { isDeepStrictEqual } from 'node:util'

import type { BackendConfig, HealthCheckConfig, PemFiles, PemTexts, PoolConfig } from '../config/config.ts'
import { type ProbeTarget, probe } from '../upstream/health-probe.ts'
import { checkedPattern } from '../wire/linear-pattern.ts'
import { type Finding, HealthCheck } from './health-check.ts'
import type { Log } from './log.ts'
import type { Metric } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric } from './metrics.ts'
import type { Verdicts } from './verdicts.ts'

/** What a node's health checks draw on. */
export interface HealthChecksParts {
  readonly verdicts: Verdicts
  readonly log: Log
  /** What these files hold now. */
  readonly pems: (files: PemFiles) => PemTexts | undefined
}

/** A backend that is checked. */
interface Checked {
  readonly pool: string
  readonly backend: string
  readonly asked: Asked
  readonly check: HealthCheck
}

/** What a finding is about: of anything else it says nothing. */
interface Asked {
  readonly check: HealthCheckConfig
  readonly backend: Pick<BackendConfig, 'url' | 'tls' | 'healthCheck'>
}

/** Asks the backends of a node how they are, and has its say of them; of what is not asked nothing is said. */
export class HealthChecks implements Disposable {
  readonly #parts: HealthChecksParts
  #checked = new Map<string, Checked>()
  /** Where each backend is that is served now. */
  #urls = new Map<string, string>()

  constructor(parts: HealthChecksParts) {
    this.#parts = parts
  }

  /** How backends that only these pools have are to count, for who is about to serve them. */
  expect(pools: readonly PoolConfig[]): void {
    for (const { id, backends, healthCheck } of pools) {
      if (healthCheck?.initially !== 'down') continue
      const added = backends.filter((backend) => !this.#urls.has(`${id}/${backend.id}`))
      for (const backend of added) this.#parts.verdicts.say(id, backend.id, { up: false })
    }
  }

  /** Checks these pools from now on. What was found of a backend is kept where nothing has changed that it is about. */
  update(pools: readonly PoolConfig[]): void {
    const before = this.#checked
    this.#checked = new Map()
    for (const pool of pools) for (const backend of pool.backends) this.#keep(pool, backend, before)
    this.#urls = new Map(
      pools.flatMap(({ id, backends }) => backends.map((backend) => [`${id}/${backend.id}`, backend.url])),
    )
    for (const each of before.values()) this.#end(each)
  }

  /** Of a backend that is gone nothing is said. */
  #end({ pool, backend, check }: Checked): void {
    check[Symbol.dispose]()
    if (!this.#urls.has(`${pool}/${backend}`)) this.#parts.verdicts.say(pool, backend, { up: true })
  }

  /** What was found of a backend; undefined where nobody asks. */
  of(pool: string, backend: string): Finding | undefined {
    return this.#checked.get(`${pool}/${backend}`)?.check.finding
  }

  metrics(): Metric[] {
    const checks = [...this.#checked.values()].flatMap(({ pool, backend, check }) => [
      { labels: { pool, backend, result: 'pass' }, value: check.passed },
      { labels: { pool, backend, result: 'fail' }, value: check.failed },
    ])
    return [metric(catalogue.backendChecks, checks)]
  }

  [Symbol.dispose](): void {
    for (const { check } of this.#checked.values()) check[Symbol.dispose]()
  }

  /** Takes what is checked already out of `before`. */
  #keep(pool: PoolConfig, config: BackendConfig, before: Map<string, Checked>): void {
    if (pool.healthCheck === undefined) return this.#parts.verdicts.say(pool.id, config.id, { up: true })
    const name = `${pool.id}/${config.id}`
    const { url, tls, healthCheck } = config
    const asked = { check: pool.healthCheck, backend: { url, tls, healthCheck } }
    const had = before.get(name)
    if (had !== undefined && isDeepStrictEqual(had.asked, asked)) {
      this.#checked.set(name, had)
      before.delete(name)
      return
    }
    this.#checked.set(name, { pool: pool.id, backend: config.id, asked, check: this.#begin(pool.id, config.id, asked) })
  }

  #begin(pool: string, backend: string, asked: Asked): HealthCheck {
    const { verdicts } = this.#parts
    const isUpAtFirst = asked.check.initially === 'up' || this.#isServing(pool, backend, asked)
    verdicts.say(pool, backend, { up: isUpAtFirst })
    const target = this.#target(asked)
    return new HealthCheck({
      check: asked.check,
      ask: (signal) => probe(target, signal),
      isResting: () => verdicts.of(pool, backend).state === 'maint',
      isUpAtFirst,
      concluded: (finding, isUp) => this.#conclude(pool, backend, finding, isUp),
      random: Math.random,
    })
  }

  /** Nobody is to lose a backend because another question is asked of it. */
  #isServing(pool: string, backend: string, { backend: { url } }: Asked): boolean {
    return this.#urls.get(`${pool}/${backend}`) === url && this.#parts.verdicts.of(pool, backend).up
  }

  #conclude(pool: string, backend: string, { well, trouble }: Finding, up: boolean): void {
    const { verdicts, log } = this.#parts
    const was = verdicts.of(pool, backend).up
    verdicts.say(pool, backend, { up })
    if (well === false) log.warn({ pool, backend, reason: trouble }, 'backend down')
    else if (up && !was) log.info({ pool, backend }, 'backend up')
  }

  #target({ check, backend: { url, tls, healthCheck } }: Asked): ProbeTarget {
    const { pems } = this.#parts
    const { protocol, hostname, port, host } = new URL(url)
    const scheme = protocol === 'https:' ? 'https' : 'http'
    const identity = {
      serverName: tls.serverName,
      verified: tls.insecure !== true,
      get pems() {
        return pems(tls)
      },
    }
    return {
      place: {
        scheme,
        // node:net wants an IPv6 address without its brackets.
        hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: healthCheck.port ?? (port === '' ? usualPorts[scheme] : Number(port)),
        tls: identity,
      },
      authority: check.host ?? host,
      check: { ...check, path: healthCheck.path ?? check.path },
      body: check.body === undefined ? undefined : checkedPattern(check.body),
    }
  }
}

const usualPorts = { http: 80, https: 443 } as const

import type { MaybePromise } from '@sticky/store'

import type { Decision } from '../affinity/script-decision.ts'
import type { ScriptAnswer, ScriptExchange } from '../affinity/script-exchange.ts'
import { type ScriptHosts, type ScriptRunner, Scripts } from '../affinity/script-service.ts'
import type { Config, ScriptConfig } from '../config/config.ts'

const unheard = { info: () => {}, warn: () => {}, error: () => {} }

/** The scripts of a configuration for one explanation: in threads of their own, so that none can stop the control plane. */
export class DryScripts implements ScriptHosts, AsyncDisposable {
  readonly #pools: ReadonlySet<string>
  readonly #opened = new AsyncDisposableStack()

  constructor({ pools }: Config) {
    this.#pools = new Set(pools.map(({ id }) => id))
  }

  host(config: ScriptConfig, pool: Parameters<ScriptHosts['host']>[1]): ScriptRunner {
    const scripts = new Scripts({ pools: this.#pools, log: unheard, clock: () => performance.now() })
    this.#opened.use(scripts)
    return new DryScript(scripts, scripts.host({ ...config, isolate: true }, pool))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
}

/** A script that is loaded when it is asked first. Rejects with ScriptUnusable when it cannot be. */
class DryScript implements ScriptRunner {
  readonly #scripts: Scripts
  readonly #host: ScriptRunner
  #loaded: Promise<void> | undefined

  constructor(scripts: Scripts, host: ScriptRunner) {
    this.#scripts = scripts
    this.#host = host
  }

  async request(exchange: ScriptExchange): Promise<Decision | undefined> {
    this.#loaded ??= this.#scripts.open()
    await this.#loaded
    return await this.#host.request(exchange)
  }

  response(exchange: ScriptExchange, answer: ScriptAnswer): MaybePromise<void> {
    return this.#host.response(exchange, answer)
  }

  failed(cause: unknown, exchange: ScriptExchange): void {
    this.#host.failed(cause, exchange)
  }
}

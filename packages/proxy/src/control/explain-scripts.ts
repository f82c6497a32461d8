import { type ScriptHosts, Scripts, ScriptUnusable } from '../affinity/script-service.ts'
import type { Config, ScriptConfig } from '../config/config.ts'
import { AdminProblem } from './admin-api.ts'

const unheard = { info: () => {}, warn: () => {}, error: () => {} }

/** The scripts of a configuration for one explanation: in threads of their own, so that none can stop the control plane. */
export class DryScripts implements ScriptHosts, AsyncDisposable {
  readonly #scripts: Scripts

  constructor({ pools }: Config) {
    const ids = new Set(pools.map(({ id }) => id))
    this.#scripts = new Scripts({ pools: ids, log: unheard, clock: () => performance.now() })
  }

  host(config: ScriptConfig, pool: Parameters<Scripts['host']>[1]): ReturnType<Scripts['host']> {
    return this.#scripts.host({ ...config, isolate: true }, pool)
  }

  /** Loads them; an AdminProblem that names the one that cannot be. */
  async open(): Promise<void> {
    try {
      await this.#scripts.open()
    } catch (cause) {
      if (cause instanceof ScriptUnusable) throw new AdminProblem('internal', cause.message, { cause })
      throw cause
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scripts[Symbol.asyncDispose]()
  }
}

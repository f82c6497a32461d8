import { isDeepStrictEqual } from 'node:util'

import type { Config } from '../config/config.ts'
import { ConfigErrors } from '../config/config-errors.ts'
import { type ConfigChanges, configChanges, liveConfig } from './config-changes.ts'
import type { Log } from './log.ts'
import type { Metric } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'
import { StartFailure } from './start-failure.ts'

/** Reloads a node's configuration, one after the other; counts them, and logs what each changed or why it was refused. */
export class Reloads {
  readonly #node: { readonly config: Config }
  readonly #log: Log
  readonly #take: (config: Config) => Promise<void>
  #turn: Promise<unknown> = Promise.resolve()
  #succeeded = 0
  #failed = 0
  #lastSucceeded = true

  /** `take` lets the node run by another configuration; it rejects with StartFailure where the node goes on as it was. */
  constructor(node: { readonly config: Config }, log: Log, take: (config: Config) => Promise<void>) {
    this.#node = node
    this.#log = log
    this.#take = take
  }

  /** Adopts what is read. Rejects with ConfigErrors or StartFailure when the node goes on with the configuration it has. */
  reload(read: () => Config): Promise<ConfigChanges> {
    const done = this.#turn.then(() => this.#reload(read))
    this.#turn = done.catch(() => {})
    return done
  }

  metrics(): Metric[] {
    const results = [
      { labels: { result: 'success' }, value: this.#succeeded },
      { labels: { result: 'failure' }, value: this.#failed },
    ]
    return [metric(catalogue.configReloads, results), single(catalogue.configLastReload, this.#lastSucceeded ? 1 : 0)]
  }

  async #reload(read: () => Config): Promise<ConfigChanges> {
    try {
      const changes = await this.#adopt(read())
      this.#succeeded++
      this.#lastSucceeded = true
      return changes
    } catch (error) {
      this.#failed++
      this.#lastSucceeded = false
      this.#logRefusal(error)
      throw error
    }
  }

  async #adopt(next: Config): Promise<ConfigChanges> {
    const { config } = this.#node
    const log = this.#log
    const changes = configChanges(config, next)
    const live = liveConfig(config, next)
    if (isDeepStrictEqual(live, config)) log.info({}, 'configuration unchanged')
    else {
      await this.#take(live)
      log.info(toldOnly(changes), 'configuration reloaded')
    }
    if (changes.needRestart.length > 0) log.warn({ keys: changes.needRestart }, 'configuration needs a restart')
    return changes
  }

  #logRefusal(error: unknown): void {
    const log = this.#log
    if (error instanceof ConfigErrors) log.error({ mistakes: error.message.split('\n') }, 'configuration refused')
    else if (error instanceof StartFailure) log.error({ reason: error.message }, 'configuration refused')
    else log.error({ err: error }, 'configuration refused')
  }
}

/** Without what is empty. */
function toldOnly({ needRestart: _, settings, ...names }: ConfigChanges): object {
  const lists = Object.entries(names).flatMap(([kind, changes]) =>
    Object.entries(changes).map(([how, list]): [string, readonly string[]] => [`${kind}_${how}`, list]),
  )
  return Object.fromEntries([...lists, ['settings', settings] as const].filter(([, list]) => list.length > 0))
}

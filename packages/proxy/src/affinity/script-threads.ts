import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Milliseconds } from '@sticky/store'
import { Piscina } from 'piscina'

import type { Decision } from './script-decision.ts'
import {
  type LoadedScript,
  type ScriptAnswer,
  ScriptBusy,
  type ScriptExchange,
  ScriptTimeout,
} from './script-exchange.ts'
import type { ScriptHooks } from './script-hooks-of.ts'
import { loadTime, TimeLimit, within } from './script-limit.ts'
import type { ExchangeKeys } from './script-persist.ts'
import type { AskedFacts, FromHook, ThreadTask, ToHook } from './script-thread-messages.ts'

const program = fileURLToPath(new URL(`./script-thread${extname(import.meta.url)}`, import.meta.url))

/** While one is taken by a hook that loops, and then replaced, the other serves. */
const threads = 2
const mostWaiting = 128

/** MB of a thread's heap: a script that keeps more loses the thread, before it costs the machine its memory. */
const mostMemory = 256

/** MB of it for what is new: a collection that moves more than V8's last reserve into the rest would end the process, not the thread. */
const mostNewMemory = 8

let loads = 0

/** Loads a script into threads of its own; rejects when it cannot be loaded or has no hooks. */
export async function loadThreads(file: string, limit: Milliseconds): Promise<LoadedScript> {
  const url = `${pathToFileURL(file).href}?load=${++loads}`
  const pool = new Piscina<ThreadTask, unknown>({
    filename: program,
    name: 'run',
    minThreads: threads,
    maxThreads: threads,
    maxQueue: mostWaiting,
    // An idle thread must not sleep in Atomics.wait: a script may have timers of its own.
    atomics: 'disabled',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: mostMemory, maxYoungGenerationSizeMb: mostNewMemory },
    workerData: { url },
  })
  // A thread that ends by itself while it does nothing; it is replaced.
  pool.on('error', () => {})
  try {
    const hooks = await within(loadTime, pool.run({ hook: undefined }))
    return new ThreadedScript(pool, hooks as ScriptHooks, limit)
  } catch (cause) {
    await pool.destroy()
    throw cause
  }
}

/** A script that runs in threads of this process: a hook that does not end costs its thread, which is replaced. */
class ThreadedScript implements LoadedScript {
  readonly hooks: ScriptHooks
  readonly #pool: Piscina<ThreadTask, unknown>
  readonly #limit: Milliseconds

  constructor(pool: Piscina<ThreadTask, unknown>, hooks: ScriptHooks, limit: Milliseconds) {
    this.#pool = pool
    this.hooks = hooks
    this.#limit = limit
  }

  async request(exchange: ScriptExchange): Promise<Decision> {
    const asked = askedOf(exchange)
    return (await this.#run(exchange.keys, (port) => ({ hook: 'request', asked, port }))) as Decision
  }

  async response(exchange: ScriptExchange, { head, backend, now }: ScriptAnswer): Promise<void> {
    const asked = askedOf(exchange)
    const { status, fields, setCookies } = head
    const answer = { status, fields, setCookies, backend, now }
    await this.#run(exchange.keys, (port) => ({ hook: 'response', asked, answer, port }))
  }

  /** What runs ends first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close()
  }

  async #run(keys: ExchangeKeys, task: (port: MessagePort) => ThreadTask): Promise<unknown> {
    const { port1, port2 } = new MessageChannel()
    const limit = new TimeLimit(this.#limit, keys)
    const call = new HookCall(port1, keys, limit)
    const abort = new AbortController()
    // piscina takes the list's type from an overload that newer types of Node no longer have last.
    const transferList = [port2] as never
    const done = this.#pool.run(task(port2), { signal: abort.signal, transferList })
    done.catch(() => {})
    try {
      return await Promise.race([done, limit.passed])
    } catch (cause) {
      abort.abort()
      throw call.begun || !isNoThread(cause) ? cause : new ScriptBusy('no thread was free', { cause })
    } finally {
      limit.stop()
      port1.close()
    }
  }
}

/** Did the hook not even begin? */
function isNoThread(cause: unknown): boolean {
  return cause instanceof ScriptTimeout || (cause as Error).message === 'Task queue is at limit'
}

function askedOf({ head, facts }: ScriptExchange): AskedFacts {
  const { method, target, path, host, cookie, fields } = head
  return { method, target, path, host, cookie, fields, clientAddress: facts.clientAddress }
}

/** The exchange's end of a hook's port. */
class HookCall {
  begun = false
  readonly #port: MessagePort
  readonly #keys: ExchangeKeys

  constructor(port: MessagePort, keys: ExchangeKeys, limit: TimeLimit) {
    this.#port = port
    this.#keys = keys
    port.on('message', (message: FromHook) => {
      if (message.begun === undefined) return this.#answer(message)
      this.begun = true
      // The wait for a thread is not the hook's.
      limit.restart()
    })
  }

  async #answer({ call, operation, key, age }: FromHook & { begun?: never }): Promise<void> {
    try {
      const backend = await this.#perform(operation, key, age)
      this.#tell({ call, backend: backend ?? undefined })
    } catch (cause) {
      this.#tell({ call, problem: (cause as Error).message })
    }
  }

  async #perform(
    operation: 'lookup' | 'add' | 'delete',
    key: string | undefined,
    age: (FromHook & { begun?: never })['age'],
  ): Promise<string | undefined> {
    if (operation === 'lookup') return this.#keys.lookup(key)
    if (operation === 'delete') await this.#keys.delete(key)
    else await this.#keys.add(key, age === undefined ? {} : { age })
    return undefined
  }

  #tell(message: ToHook): void {
    this.#port.postMessage(message)
  }
}

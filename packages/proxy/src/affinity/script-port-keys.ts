import type { MessagePort } from 'node:worker_threads'

import type { Duration, Persistence } from './script-hooks.ts'
import { OperationLimit } from './script-limit.ts'
import type { FromHook, ToHook } from './script-thread-messages.ts'

type Operation = 'lookup' | 'add' | 'delete'

/** The keys of an exchange as its hook has them in another thread: each operation is a message, and a promise. */
export class PortKeys implements Persistence {
  readonly #port: MessagePort
  readonly #calls: PromiseWithResolvers<string | undefined>[] = []
  readonly #operations = new OperationLimit()

  /** Tells the exchange that its hook begins. */
  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', ({ call, backend, problem }: ToHook) => {
      const { resolve, reject } = this.#calls[call]!
      if (problem === undefined) resolve(backend)
      else reject(new Error(problem))
    })
    this.#tell({ begun: true })
  }

  lookup(key: string | undefined): Promise<string | undefined> {
    return this.#call('lookup', key)
  }

  add(key: string | undefined, { age }: { readonly age?: Duration } = {}): Promise<void> {
    return unheeded(this.#call('add', key, age).then(() => {}))
  }

  delete(key: string | undefined): Promise<void> {
    return unheeded(this.#call('delete', key).then(() => {}))
  }

  /** Resolves when every operation is done, be it awaited by the hook or not. */
  async settled(): Promise<void> {
    for (let done = 0; done < this.#calls.length; ) {
      const calls = this.#calls.slice(done)
      done += calls.length
      await Promise.all(calls.map(({ promise }) => promise))
    }
  }

  close(): void {
    this.#port.close()
  }

  #call(operation: Operation, key: string | undefined, age?: Duration): Promise<string | undefined> {
    this.#operations.count()
    const pending = Promise.withResolvers<string | undefined>()
    this.#tell({ call: this.#calls.push(pending) - 1, operation, key, age })
    return unheeded(pending.promise)
  }

  #tell(message: FromHook): void {
    this.#port.postMessage(message)
  }
}

/** Whose failure `settled` finds, where the hook does not wait for it: it must not end the thread. */
function unheeded<Answer>(call: Promise<Answer>): Promise<Answer> {
  call.catch(() => {})
  return call
}

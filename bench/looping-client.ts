import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

// A script that was switched off is on again after 30 s: often enough that it is mostly off, as in operation.
const pause = 500

/** Asks for `/loop` twice a second, where the bench's script never ends, until it is disposed. */
export function startLooping(ports: readonly number[]): AsyncDisposable {
  const stopping = new AbortController()
  const asking = ask(ports[0]!, stopping.signal)
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await asking
    },
  }
}

async function ask(port: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await answered(port)
    await delay(pause, undefined, { signal: stopping }).catch(() => undefined)
  }
}

/** What the answer is does not matter here: that the others get theirs does. */
function answered(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = get({ host: '127.0.0.1', port, path: '/loop', agent: false }, (response) =>
      response.resume().on('end', resolve),
    )
    call.on('error', reject)
  })
}

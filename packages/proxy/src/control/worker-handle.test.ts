import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'

import { expect, test } from 'vitest'

import type { WorkerOrder } from './data-plane.ts'
import { testConfig } from './fixtures.test-support.ts'
import { StartFailure } from './start-failure.ts'
import { WorkerHandle } from './worker-handle.ts'

const order: WorkerOrder = {
  config: testConfig(),
  keyring: { secrets: ['0123456789abcdef'], openedByAll: [] },
  fingerprint: '',
  secrets: { pems: new Map(), ticketKey: new Uint8Array(48) },
  standings: [],
}

/** A process that takes no message any more, though nobody knows yet that it has ended. */
class DyingWorker extends EventEmitter {
  readonly process = { pid: 4711 }

  isConnected(): boolean {
    return true
  }

  send(): boolean {
    process.nextTick(() => this.emit('error', new Error('write EPIPE')))
    return false
  }
}

test('a worker that dies while it is told something has ended, and fails nothing else', async () => {
  const worker = new DyingWorker()
  const handle = new WorkerHandle(worker as unknown as Worker, order)
  const asked = handle.reach('a barrier')
  await new Promise(setImmediate)

  worker.emit('exit', null, 'SIGKILL')

  expect(await handle.ended).toEqual({ code: null, signal: 'SIGKILL' })
  await expect(handle.serving).rejects.toThrow(StartFailure)
  expect(await asked).toBe(true)
})

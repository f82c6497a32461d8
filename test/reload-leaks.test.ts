import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { type Config, type ListenConfig, type Node, type PoolConfig, startNode } from '@sticky/proxy'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { backendConfig, persistenceKeyConfig, poolConfig } from '../packages/proxy/src/config/parts.test-support.ts'
import { testConfig } from '../packages/proxy/src/control/fixtures.test-support.ts'
import { keyPair } from '../packages/proxy/src/traffic/certificates.test-support.ts'
import { Browser } from './support/browser.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const stack = new AsyncDisposableStack()
let port: number
let silence: number
let script: string

beforeAll(async () => {
  const app = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  stack.defer(() => app.closeAllConnections())
  stack.defer(() => void app.close())
  await once(app, 'listening')
  port = (app.address() as AddressInfo).port
  silence = stack.use(await open('/dev/null', 'w')).fd
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'sticky-reloads-')), (path) => rm(path, { recursive: true }))
  script = join(folder, 'script.ts')
  writeFileSync(script, 'export const request = () => {}\n')
})

afterAll(() => stack.disposeAsync())

const plain: ListenConfig = { address: { host: '127.0.0.1', port: 0 }, proxyProtocolFrom: undefined, tls: [] }

/** The configuration of that turn: whatever can change does, all the time. */
function configuration(turn: number): Config {
  const even = turn % 2 === 0
  return testConfig({
    admin: undefined,
    accessLog: even,
    secrets: even ? ['one', 'two'] : ['two', 'three'],
    listen: even ? [plain] : [plain, { ...plain, tls: [keyPair('shop')] }],
    pools: [pool('shop', turn), pool(even ? 'left' : 'right', turn)],
    trustedProxies: even ? ['192.0.2.0/24'] : [],
  })
}

function pool(id: string, turn: number): PoolConfig {
  const even = turn % 2 === 0
  const url = `http://127.0.0.1:${port}`
  const ids = turn % 3 === 0 ? ['a', 'b', 'c'] : ['a', 'b']
  return poolConfig(
    id,
    ids.map((backend) => backendConfig(backend, { url, weight: 1 + (turn % 5) })),
    {
      balance: even ? 'leastLoad' : 'roundRobin',
      affinity: [...(even ? [scripted()] : []), persistenceKeyConfig()],
      queue: even ? { max: 10, timeout: 1_000 } : undefined,
      healthCheck: { ...check, interval: even ? 20_000 : 30_000 },
      slowStart: even ? 1_000 : undefined,
    },
  )
}

function scripted(): PoolConfig['affinity'][number] {
  return { strategy: 'script', script, file: script, isolate: false, timeLimit: 50 }
}

const check: NonNullable<PoolConfig['healthCheck']> = {
  type: 'tcp',
  path: '/',
  method: 'GET',
  host: undefined,
  status: [],
  body: undefined,
  interval: 20_000,
  timeout: 1_000,
  rise: 1,
  fall: 1,
  jitter: 0,
  initially: 'up',
}

/** Reloads a node so often, every third time in vain, while somebody asks it; what it was told to run by. */
async function reload(node: Node, times: number): Promise<WeakRef<object>[]> {
  const told: WeakRef<object>[] = []
  const browser = new Browser()
  const served = Number(node.addresses[0]!.split(':').at(-1))
  for (let turn = 0; turn < times; turn++) {
    const next = configuration(turn)
    told.push(new WeakRef(next), ...next.pools.map((each) => new WeakRef(each)))
    const taken = turn % 3 === 2 ? [{ ...plain, address: { host: '127.0.0.1', port } }] : []
    const refused = await node.reload({ ...next, listen: [...next.listen, ...taken] }).then(
      () => 0,
      () => 1,
    )
    if (refused !== taken.length) throw new Error(`reload ${turn} was ${refused === 1 ? 'refused' : 'accepted'}`)
    if (turn % 10 === 0) await browser.get(served)
  }
  return told
}

interface Held {
  readonly kibibytes: number
  readonly resources: number
  readonly descriptors: number
}

async function held(): Promise<Held> {
  for (let round = 0; round < 5; round++) {
    collectGarbage()
    await new Promise(setImmediate)
  }
  const { heapUsed, external } = process.memoryUsage()
  const descriptors = (await readdir('/proc/self/fd')).length
  const resources = process.getActiveResourcesInfo().filter((kind) => kind !== 'FSReqPromise').length
  return { kibibytes: Math.round((heapUsed + external) / 1024), resources, descriptors }
}

test('300 reloads, every third one in vain, leave no memory, timer, socket or descriptor behind', async () => {
  await using node = await startNode(configuration(0), { logTo: silence })
  await reload(node, 150)
  const before = await held()

  const told = await reload(node, 300)
  const after = await held()

  // The last one, of which the node has its own pools.
  expect(told.filter((each) => each.deref() !== undefined).length).toBeLessThanOrEqual(6)
  expect(after.kibibytes - before.kibibytes).toBeLessThan(1_000)
  // A connection to the application, at both its ends, may have been kept or not.
  expect(after.resources).toBeLessThanOrEqual(before.resources + 4)
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 4)
})

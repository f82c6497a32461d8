import { open } from 'node:fs/promises'

import { type Config, loadConfig, type Node, StartFailure, startNode } from '@sticky/proxy'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { backendConfig, poolConfig } from '../packages/proxy/src/config/parts.test-support.ts'
import { testConfig } from '../packages/proxy/src/control/fixtures.test-support.ts'
import { Browser } from './support/browser.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const stack = new AsyncDisposableStack()
let a: ScriptedApp
let b: ScriptedApp
let silence: number

beforeAll(async () => {
  a = stack.use(await ScriptedApp.start('a'))
  b = stack.use(await ScriptedApp.start('b'))
  silence = stack.use(await open('/dev/null', 'w')).fd
})

afterAll(() => stack.disposeAsync())

function served(by: ScriptedApp, changes: Partial<Config> = {}): Config {
  const pools = [poolConfig('shop', [backendConfig(by.id, { url: by.url })])]
  return testConfig({ pools, admin: undefined, drain: { grace: 100 }, ...changes })
}

async function app(node: Node): Promise<unknown> {
  return (await new Browser().get(Number(node.addresses[0]!.split(':').at(-1)))).headers['x-app']
}

test('a program reloads the node it embeds, which tells what changed', async () => {
  await using node = await startNode(served(a), { logTo: silence })
  const before = await app(node)

  const changes = await node.reload(served(b, { node: { id: 'other', workers: 3 } }))

  expect([before, await app(node)]).toEqual(['a', 'b'])
  expect(changes.backends).toEqual({ added: ['shop/b'], removed: ['shop/a'], changed: [] })
  expect(changes.needRestart).toEqual(['node.id', 'node.workers'])
  expect(node.config.node).toEqual({ id: 'n1', workers: 1 })
})

test('a configuration that cannot be used leaves it as it is', async () => {
  await using node = await startNode(served(a), { logTo: silence })
  const taken = {
    address: { host: '127.0.0.1', port: Number(new URL(b.url).port) },
    proxyProtocolFrom: undefined,
    tls: [],
  }

  const reloading = node.reload(served(b, { listen: [...served(b).listen, taken] }))

  await expect(reloading).rejects.toThrow(StartFailure)
  expect(await app(node)).toBe('a')
  expect(node.addresses).toHaveLength(1)
})

test('it has no file to read again, and no workers to replace', async () => {
  await using node = await startNode(served(a), { logTo: silence })

  await expect(node.reload()).rejects.toThrow('this node has no configuration file')
  await expect(node.restartWorkers()).rejects.toThrow('this node serves from its one process')
  expect(() => loadConfig('/nowhere.yaml')).toThrow('no such file')
})

test('it drains once, whoever asks how often, and is reloaded no more', async () => {
  const node = await startNode(served(a), { logTo: silence })

  const drains = [node.drain(), node.drain()]

  await expect(node.reload(served(b))).rejects.toThrow('the node is draining')
  await Promise.all(drains)
  await node[Symbol.asyncDispose]()
  await expect(app(node)).rejects.toThrow('ECONNREFUSED')
})

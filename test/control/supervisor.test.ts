import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { configuration, lives, startedWorkers, workersStarted } from './nodes.ts'

describe('a worker that is killed', () => {
  test('is replaced while the others go on answering', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const [killed] = startedWorkers(node)

    process.kill(killed!, 'SIGKILL')

    await node.logged('worker ended', (line) => line.worker_pid === killed)
    expect((await new Browser().get(node.port, '/now')).status).toBe(200)
    const workers = await workersStarted(node, 3)
    expect(new Set(workers).size).toBe(3)
  })

  test('is replaced on the same port, even if it was the only one and its port nobody chose', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { node: { workers: 1 } }))

    process.kill(startedWorkers(node)[0]!, 'SIGKILL')
    await workersStarted(node, 2)

    expect((await new Browser().get(node.port, '/now')).status).toBe(200)
  })
})

test('a reload while no worker lives leaves the node on the port that nobody chose', async () => {
  await using app = await HoldingApp.start('a')
  const alone = { node: { workers: 1 } }
  await using node = await ProxyNode.start(configuration(app, alone))
  await node.write(configuration(app, { ...alone, accessLog: true }))

  process.kill(startedWorkers(node)[0]!, 'SIGKILL')
  await node.logged('worker ended')
  const { status } = await node.reload()
  await workersStarted(node, 2)

  expect(status).toBe(200)
  expect((await new Browser().get(node.port, '/now')).status).toBe(200)
})

describe('signals', () => {
  test('SIGTERM lets requests end, refuses connections after a grace, and the node says at once that it is not ready', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const held = new Browser().get(node.port, '/hold')
    await eventually(
      () => app.inFlight,
      (count) => count === 1,
    )

    node.signal('SIGTERM')

    await node.logged('stopping')
    const ready = await fetch(`${node.admin}/readyz`)
    await eventually(
      () => new Browser().get(node.port, '/now').then(String, (error) => error.code),
      (answer) => answer === 'ECONNREFUSED',
    )
    expect([ready.status, ((await ready.json()) as { detail: string }).detail]).toEqual([503, 'draining'])
    app.release()
    expect(await held).toMatchObject({ status: 200, body: 'a' })
    expect(await node.exit()).toBe(0)
  })

  test('SIGTERM cuts what is still in flight when shutdownTimeout is over', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { shutdownTimeout: '300ms' }))
    const held = new Browser().get(node.port, '/hold')
    held.catch(() => {})
    await eventually(
      () => app.inFlight,
      (count) => count === 1,
    )

    node.signal('SIGTERM')

    await expect(held).rejects.toThrow()
    expect(await node.exit()).toBe(0)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('a second %s, a second later, ends the node at once', async (signal) => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const workers = startedWorkers(node)
    new Browser().get(node.port, '/hold').catch(() => {})
    await eventually(
      () => app.inFlight,
      (count) => count === 1,
    )

    node.signal(signal)
    await node.logged('stopping')
    await delay(1_100)
    node.signal(signal)

    expect(await node.exit()).toBe(2)
    await eventually(
      () => workers.some(lives),
      (alive) => !alive,
    )
  })

  test('ten signals at once are one', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const held = new Browser().get(node.port, '/hold')
    await eventually(
      () => app.inFlight,
      (count) => count === 1,
    )

    for (let sent = 0; sent < 10; sent++) {
      node.signal('SIGTERM')
      await new Promise(setImmediate)
    }
    await node.logged('stopping')
    app.release()

    expect(await held).toMatchObject({ status: 200 })
    expect(await node.exit()).toBe(0)
  })

  test('SIGHUP kills neither the node nor its workers', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))

    for (const pid of startedWorkers(node)) process.kill(pid, 'SIGHUP')
    node.signal('SIGHUP')

    await node.logged('configuration unchanged')
    expect((await new Browser().get(node.port, '/now')).status).toBe(200)
    expect(node.lines.some((line) => line.msg === 'worker ended')).toBe(false)
  })

  test('a terminal that signals every process of the node still lets requests end', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const held = new Browser().get(node.port, '/hold')
    await eventually(
      () => app.inFlight,
      (count) => count === 1,
    )

    for (const pid of [...startedWorkers(node), node.pid]) process.kill(pid, 'SIGINT')
    await node.logged('stopping')
    app.release()

    expect(await held).toMatchObject({ status: 200 })
    expect(await node.exit()).toBe(0)
  })

  test('workers end when the primary is killed', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const workers = startedWorkers(node)

    await node.kill()

    await eventually(
      () => workers.some(lives),
      (alive) => !alive,
    )
  })
})

describe('a start that fails', () => {
  test.each([
    ['in a worker', {}],
    ['in the only process', { store: { url: 'memory:' }, node: { workers: 1 } }],
  ])('for a port that is taken is one sentence and exit code 1, %s', async (_, changes) => {
    await using app = await HoldingApp.start('a')
    await using taken = await takenPort()
    const config = configuration(app, { ...changes, listen: [{ address: `127.0.0.1:${taken.port}` }] })

    await expect(ProxyNode.start(config)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${taken.port}: another process listens there already\n`,
    )
  })

  test('for an admin port that is taken is one sentence, too', async () => {
    await using app = await HoldingApp.start('a')
    await using taken = await takenPort()
    const config = configuration(app, { admin: { address: `127.0.0.1:${taken.port}` } })

    await expect(ProxyNode.start(config)).rejects.toThrow(`cannot listen on 127.0.0.1:${taken.port}`)
  })
})

async function takenPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

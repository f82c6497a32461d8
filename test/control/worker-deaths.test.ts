import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { stickyCli } from '../cli/sticky-cli.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { freePort, type LocalRedis } from '../support/local-redis.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'
import { configuration, lives, startedWorkers, workersStarted } from './nodes.ts'

// Processes that die, or stand still, in the middle of what changes a node.

/** A request that the application holds, and the worker of the two that has it. */
async function holdOnOne(node: ProxyNode, app: HoldingApp) {
  const [holder, other] = startedWorkers(node) as [number, number]
  process.kill(other, 'SIGSTOP')
  const held = new Browser().get(node.port, '/hold').then(
    ({ status }) => status,
    ({ message }: Error) => message,
  )
  await eventually(
    () => app.inFlight,
    (count) => count === 1,
  )
  process.kill(other, 'SIGCONT')
  return { holder, other, held }
}

const storeAt = ({ url }: LocalRedis) => ({
  url,
  lease: '2s',
  heartbeat: '200ms',
  commandTimeout: '1s',
  budget: '100ms',
})

const refused = (node: ProxyNode) =>
  eventually(
    () => new Browser().get(node.port, '/now').then(String, ({ code }) => code),
    (answer) => answer === 'ECONNREFUSED',
  )

// Each has processes of its own, and waits for them most of the time.
describe('a node', { concurrent: true }, () => {
  test('that drains loses a worker: nobody else fails, and none takes its place', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const { other, held } = await holdOnOne(node, app)

    node.signal('SIGTERM')
    await node.logged('stopping')
    process.kill(other, 'SIGKILL')
    await refused(node)
    app.release()

    expect(await held).toBe(200)
    expect(await node.exit()).toBe(0)
    expect(startedWorkers(node)).toHaveLength(2)
  })

  test('that drains starts none either for one that died before, while a reload waits for another', async () => {
    await using app = await HoldingApp.start('a')
    const config = configuration(app, { shutdownTimeout: '20s' })
    await using node = await ProxyNode.start(config)
    const { holder, other, held } = await holdOnOne(node, app)
    const port = await freePort()
    await node.write({ ...config, listen: [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${port}` }] })

    process.kill(holder, 'SIGSTOP')
    const reloaded = node.reload()
    // The other has made ready.
    await eventually(
      () => new Knock(port).connected.then(String, ({ code }) => code),
      (answer) => answer !== 'ECONNREFUSED',
    )
    process.kill(other, 'SIGKILL')
    const { restart_in_ms } = await node.logged('worker ended')
    await delay(3 * (restart_in_ms as number))
    node.signal('SIGTERM')
    await node.logged('stopping')
    process.kill(holder, 'SIGCONT')
    await reloaded

    expect(await node.workerPids()).toEqual([holder])
    app.release()
    expect(await held).toBe(200)
    expect(await node.exit()).toBe(0)
  })

  test('whose primary is killed while it drains loses its workers at once', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const { held } = await holdOnOne(node, app)

    node.signal('SIGTERM')
    await refused(node)
    await node.kill()

    expect(await held).toBe('socket hang up')
    await eventually(
      () => startedWorkers(node).some(lives),
      (alive) => !alive,
    )
  })

  test('ends in time though a worker stands still', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { shutdownTimeout: '1s' }))
    const workers = startedWorkers(node)
    process.kill(workers[0]!, 'SIGSTOP')

    node.signal('SIGTERM')

    expect(await node.exit()).toBe(0)
    expect(workers.some(lives)).toBe(false)
  })

  test('goes on with the workers it has when a successor dies before it serves', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const before = await node.workerPids()

    const restarting = stickyCli(['nodes', 'restart', '--admin', node.admin])
    const during = await eventually(
      () => node.workerPids(),
      (pids) => pids.length === 3,
    )
    process.kill(during.find((pid) => !before.includes(pid))!, 'SIGKILL')

    expect(await restarting).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a worker ended while starting'),
    })
    expect(await node.workerPids()).toEqual(before)
    expect((await new Browser().get(node.port, '/now')).status).toBe(200)
  })

  test('has as many workers as before when one dies while it is being replaced', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    const [first] = startedWorkers(node)

    const restarting = stickyCli(['nodes', 'restart', '--admin', node.admin])
    await eventually(
      () => node.workerPids(),
      (pids) => pids.length === 3,
    )
    process.kill(first!, 'SIGKILL')

    expect(await restarting).toMatchObject({ code: 0 })
    await eventually(
      () => node.workerPids(),
      (pids) => pids.length === 2 && !pids.includes(first!),
    )
    expect((await new Browser().get(node.port, '/now')).status).toBe(200)
  })

  test('stays on the port that nobody chose when its only worker dies before its successor listens', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { node: { id: 'n1', workers: 1 } }))
    const [first] = startedWorkers(node) as [number]

    const restarting = stickyCli(['nodes', 'restart', '--admin', node.admin])
    const pids = await eventually(
      () => node.workerPids(),
      (living) => living.length === 2,
    )
    const successor = pids.find((pid) => pid !== first)!
    process.kill(successor, 'SIGSTOP')
    process.kill(first, 'SIGKILL')
    await node.logged('worker ended', (line) => line.worker_pid === first)
    process.kill(successor, 'SIGCONT')
    await restarting

    await eventually(
      () => new Browser().get(node.port, '/now').then(({ status }) => status, String),
      (answer) => answer === 200,
    )
  })

  test('lets what is under way end when SIGTERM comes in the middle of a restart, and does not call that done', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { shutdownTimeout: '20s' }))
    const { held } = await holdOnOne(node, app)

    const restarting = stickyCli(['nodes', 'restart', '--admin', node.admin])
    await workersStarted(node, 3)
    node.signal('SIGTERM')
    await refused(node)
    app.release()

    expect(await held).toBe(200)
    expect(await node.exit()).toBe(0)
    // Its answer may be cut off.
    expect((await restarting).code).not.toBe(0)
  })

  test('has room in its queue for all who knock at once after its workers were replaced', async () => {
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app))
    await stickyCli(['nodes', 'restart', '--admin', node.admin])
    const workers = await node.workerPids()

    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    const clients = Array.from({ length: 40 }, () => new Knock(node.port))
    await Promise.all(clients.map((client) => client.connected))
    for (const pid of workers) process.kill(pid, 'SIGCONT')

    expect(await Promise.all(clients.map((client) => client.answered))).toEqual(Array(40).fill('HTTP/1.1 200'))
  })

  test('ends in order though Redis was killed', async () => {
    await using redis = await startRedis()
    await using app = await HoldingApp.start('a')
    await using node = await ProxyNode.start(configuration(app, { store: storeAt(redis), shutdownTimeout: '20s' }))
    const { held } = await holdOnOne(node, app)

    await redis.kill()
    node.signal('SIGTERM')
    await refused(node)
    app.release()

    expect(await held).toBe(200)
    expect(await node.exit()).toBe(0)
  })

  test('ends in order though Redis stands still, which forgets its counts with its lease', async () => {
    await using redis = await startRedis()
    await using app = await HoldingApp.start('a')
    const config = configuration(app, { store: storeAt(redis), shutdownTimeout: '20s' })
    await using node = await ProxyNode.start(config)
    await using other = await ProxyNode.start(config, ['--node-id', 'n2'])
    const { held } = await holdOnOne(node, app)
    const counted = () => other.load('shop').then(({ a }) => a, String)
    await eventually(counted, (count) => count === 1)

    redis.pause()
    node.signal('SIGTERM')
    await refused(node)
    app.release()
    expect(await held).toBe(200)
    expect(await node.exit()).toBe(0)
    redis.resume()

    await eventually(counted, (count) => count === 0)
  })
})

/** A connection that the system makes, and what a worker answers on it later. */
class Knock {
  readonly connected: Promise<unknown>
  readonly answered: Promise<string>

  constructor(port: number) {
    const socket: Socket = connect(port, '127.0.0.1').setEncoding('latin1')
    this.connected = once(socket, 'connect')
    this.answered = once(socket, 'data').then(([text]) => (text as string).slice(0, 12))
    this.answered.catch(() => {})
    socket.write('GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  }
}

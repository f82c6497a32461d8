import { once } from 'node:events'
import { existsSync, mkdtempSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'
import { configuration } from './nodes.ts'

test('a node without its store is alive, not ready, and goes on telling what it knows', async () => {
  await using app = await HoldingApp.start('a')
  await using redis = await startRedis()
  const store = { url: redis.url, lease: '2s', heartbeat: '200ms', commandTimeout: '200ms' }
  await using node = await ProxyNode.start(configuration(app, { store }))
  const browser = new Browser()
  await browser.get(node.port, '/now')
  expect(await status(node, '/readyz')).toBe(200)

  await redis.stop()

  await eventually(
    () => status(node, '/readyz'),
    (ready) => ready === 503,
  )
  expect(await status(node, '/healthz')).toBe(200)
  expect(await status(node, '/v1/sessions')).toBe(503)
  expect(await status(node, '/metrics')).toBe(200)
  expect(await (await fetch(`${node.admin}/v1/backends`)).json()).toMatchObject({
    backends: [{ id: 'a', state: 'ready', sessions: null, inFlight: null }],
  })
  await redis.start()
  await eventually(
    () => status(node, '/readyz'),
    (ready) => ready === 200,
  )
})

test('a node that waits for its store answers probes meanwhile and starts when it comes', async () => {
  await using app = await HoldingApp.start('a')
  await using redis = await startRedis()
  await redis.stop()

  const starting = ProxyNode.start(configuration(app, { store: { url: redis.url } }))
  await redis.start()
  await using node = await starting

  expect((await new Browser().get(node.port, '/now')).status).toBe(200)
})

test('a token is demanded of everything but the probes, and is in no answer', async () => {
  await using app = await HoldingApp.start('a')
  const token = 'a-token-nobody-will-guess'
  await using node = await ProxyNode.start(configuration(app, { admin: { address: '0.0.0.0:0', token } }))
  const admin = `http://127.0.0.1:${new URL(node.admin).port}`
  const paths = ['/healthz', '/readyz', '/metrics', '/v1/sessions', '/v1/nodes', '/v1/backends', '/v1/load']

  const bare = await Promise.all(paths.map((path) => fetch(`${admin}${path}`)))
  const headers = { Authorization: `Bearer ${token}` }
  const allowed = await Promise.all(paths.map((path) => fetch(`${admin}${path}`, { headers })))

  expect(bare.map((answer) => answer.status)).toEqual([200, 200, 401, 401, 401, 401, 401])
  expect(allowed.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 200, 200])
  for (const answer of [...bare, ...allowed]) expect(await answer.text()).not.toContain(token)
})

test('a node that was killed leaves its admin socket behind, and the next one takes it over', async () => {
  await using app = await HoldingApp.start('a')
  const socket = join(mkdtempSync(join(tmpdir(), 'sticky-admin-')), 'admin.sock')
  const config = configuration(app, { admin: { address: `unix:${socket}` } })
  await using killed = await ProxyNode.start(config)

  await killed.kill()
  const left = statSync(socket)
  await using next = await ProxyNode.start(config)

  expect([left.isSocket(), left.mode & 0o777]).toEqual([true, 0o600])
  expect(next.admin).toBe(`unix:${socket}`)
  expect(await overSocket(socket, '/healthz')).toBe(200)
  next.signal('SIGINT')
  await next.exit()
  expect(existsSync(socket)).toBe(false)
})

test('two live nodes of one id are kept apart, flagged and warned about, and so are differing configurations', async () => {
  await using app = await HoldingApp.start('a')
  const config = configuration(app, { node: { workers: 1 } })
  await using _first = await ProxyNode.start(config, ['--node-id', 'n1'])
  await using twin = await ProxyNode.start(config, ['--node-id', 'n1'])
  const routes = [{ path: '/other/*', pool: 'shop' }, { pool: 'shop' }]
  await using other = await ProxyNode.start({ ...config, routes }, ['--node-id', 'n2'])

  const { agree, nodes } = await other.ask<{ agree: boolean; nodes: { id: string; flags: string[]; self: boolean }[] }>(
    '/v1/nodes',
  )

  expect(agree).toBe(false)
  expect(nodes.map(({ id, flags, self }) => [id, flags, self])).toEqual([
    ['n1', ['duplicate-id'], false],
    ['n1', ['duplicate-id'], false],
    ['n2', ['other-configuration'], true],
  ])
  await twin.logged('another live node has the same id')
  await other.logged('another node has a different configuration')
})

async function status(node: ProxyNode, path: string): Promise<number> {
  const response = await fetch(`${node.admin}${path}`)
  await response.arrayBuffer()
  return response.status
}

async function overSocket(socketPath: string, path: string): Promise<number> {
  const [response] = await once(request({ socketPath, path }).end(), 'response')
  response.resume()
  return response.statusCode
}

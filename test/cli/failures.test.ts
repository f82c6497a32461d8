import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type AdminApi, AdminProblem, apiVersion } from '@sticky/proxy/admin-api'
import { StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { adminServer, idOf } from './admin-fixture.ts'
import { stickyCli } from './sticky-cli.ts'

const nodes: Partial<AdminApi> = { nodes: async () => ({ apiVersion, complete: true, agree: true, nodes: [] }) }

test.each([
  [['bogus'], "unknown command 'bogus'"],
  [['sessions', 'bogus'], "sessions has no command 'bogus'"],
  [['sessions', 'show'], 'sessions show takes either an id or --cookie NAME=VALUE'],
  [['sessions', 'show', idOf(1), '--cookie', 'a=b'], 'sessions show takes either an id or --cookie NAME=VALUE'],
  [['sessions', 'end'], "missing required argument 'id'"],
  [['sessions', '--limit', '0'], "option '--limit <n>' argument '0' is invalid. It must be a positive whole number."],
  [['sessions', '--idle-gt', '5'], 'It must be a duration such as 30s, 5m or 1h30m.'],
  [['sessions', 'show', '--cookie', 'nameless'], 'It must be NAME=VALUE.'],
  [['nodes', '--admin', '127.0.0.1:9901'], 'It must be http://host:port or unix:/path.'],
  [['nodes', '--token-file', '/nowhere/token'], 'cannot read the token file: ENOENT'],
])('%j is wrong usage', async (words, sentence) => {
  const run = await stickyCli(words)

  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toContain(sentence)
  expect(run.stderr).toMatch(/^sticky-cli: .+\n$/)
})

test('no command at all is wrong usage, answered with the help', async () => {
  const run = await stickyCli([])

  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/^Usage: sticky-cli/)
})

test('a node that is not there cannot be reached', async () => {
  const port = await freePort()

  const tcp = await stickyCli(['nodes', '--admin', `http://127.0.0.1:${port}`])
  const socket = await stickyCli(['nodes', '--admin', 'unix:/nowhere/admin.sock'])
  const environment = await stickyCli(['nodes'], { STICKY_ADMIN: `http://127.0.0.1:${port}` })

  expect([tcp.code, socket.code, environment.code]).toEqual([4, 4, 4])
  expect(tcp.stderr).toBe(`sticky-cli: cannot reach the admin API at http://127.0.0.1:${port}: connection refused\n`)
  expect(socket.stderr).toBe(
    'sticky-cli: cannot reach the admin API at unix:/nowhere/admin.sock: there is no such socket\n',
  )
})

test('what answers but is no admin API counts as out of reach', async () => {
  await using stranger = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>hello'))
  await new Promise<void>((listening) => stranger.listen(0, '127.0.0.1', listening))
  const { port } = stranger.address() as { port: number }

  const run = await stickyCli(['sessions', '--admin', `http://127.0.0.1:${port}`])

  expect(run).toMatchObject({ code: 4, stdout: '' })
  expect(run.stderr).toContain('what answers there is something else')
})

test('a store that is away is a failure', async () => {
  await using server = await adminServer({
    nodes: () => Promise.reject(new StoreUnavailable('away')),
  })

  const run = await stickyCli(['nodes', '--admin', `http://${server.address}`])

  expect(run).toMatchObject({ code: 1, stdout: '', stderr: 'sticky-cli: the store does not answer\n' })
})

test('a pool nobody configured is not found, and an ambiguous id wants one', async () => {
  await using server = await adminServer({
    load: async () => Promise.reject(new AdminProblem('no-such-pool', 'this node has no pool named shpo')),
    session: async () => Promise.reject(new AdminProblem('ambiguous-session', 'several pools: name one')),
  })
  const admin = ['--admin', `http://${server.address}`]

  const pool = await stickyCli(['load', '--pool', 'shpo', ...admin])
  const id = await stickyCli(['sessions', 'show', idOf(1), ...admin])

  expect(pool).toMatchObject({ code: 3, stderr: 'sticky-cli: this node has no pool named shpo\n' })
  expect(id).toMatchObject({ code: 2, stderr: 'sticky-cli: several pools: name one with --pool\n' })
})

test('what a node refuses with obeys no terminal, on each of its lines', async () => {
  const detail = 'f:1:1: \x1b[2Jbogus\nf:2:1: \x9b2J'
  await using server = await adminServer({
    reload: async () => Promise.reject(new AdminProblem('configuration-refused', detail)),
  })

  const run = await stickyCli(['reload', '--admin', `http://${server.address}`])

  expect(run).toMatchObject({ code: 1, stderr: 'sticky-cli: f:1:1: \\x1b[2Jbogus\nf:2:1: \\x9b2J\n' })
})

test('a token is taken from the environment or a file', async () => {
  await using server = await adminServer(nodes, { token: 'secret' })
  const file = join(mkdtempSync(join(tmpdir(), 'sticky-token-')), 'token')
  writeFileSync(file, 'secret\n')
  const words = ['nodes', '--admin', `http://${server.address}`]

  const without = await stickyCli(words)
  const fromEnvironment = await stickyCli(words, { STICKY_ADMIN_TOKEN: 'secret' })
  const fromFile = await stickyCli([...words, '--token-file', file])

  expect(without.code).toBe(1)
  expect(without.stderr).toMatch(/^sticky-cli: .+ \(set STICKY_ADMIN_TOKEN or give --token-file\)\n$/)
  expect([fromEnvironment.code, fromFile.code]).toEqual([0, 0])
})

test('a unix socket serves as well', async () => {
  const socket = join(mkdtempSync(join(tmpdir(), 'sticky-admin-')), 'admin.sock')
  await using _server = await adminServer(nodes, { address: { socket } })

  const run = await stickyCli(['nodes', '--json', '--admin', `unix:${socket}`])

  expect(JSON.parse(run.stdout)).toEqual({ apiVersion, complete: true, agree: true, nodes: [] })
})

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

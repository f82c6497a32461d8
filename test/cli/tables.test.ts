import { apiVersion, type NodeResource } from '@sticky/proxy/admin-api'
import { expect, test } from 'vitest'

import { adminServer, idOf } from './admin-fixture.ts'
import { stickyCli } from './sticky-cli.ts'

test('backends shows what each carries, and a dash for what is unknown', async () => {
  const since = new Date(Date.now() - 14 * 60_000 - 500).toISOString()
  const failed = '3 of 3 failed: status 503'
  const shop = {
    pool: 'shop',
    url: 'http://127.0.0.1:3001',
    weight: 1,
    wanted: 'ready' as const,
    since: null,
    drained: false,
    keepsSessions: true,
  }
  await using server = await adminServer({
    backends: async () => ({
      apiVersion,
      backends: [
        { ...shop, id: 'a', state: 'ready', check: { up: true, reason: null }, sessions: 12, inFlight: 3 },
        { ...shop, id: 'b', state: 'down', check: { up: false, reason: failed }, sessions: null, inFlight: null },
        { ...shop, id: 'c', state: 'drain', check: { up: null, reason: null }, since, sessions: 0, inFlight: 1 },
        { ...shop, id: 'd', state: 'ready', check: null, sessions: 0, inFlight: 0 },
      ],
    }),
  })

  const run = await stickyCli(['backends', '--admin', `http://${server.address}`])

  expect(run.stdout.split('\n')).toEqual([
    'POOL  BACKEND  STATE  FOR  WEIGHT  SESSIONS  IN FLIGHT  CHECK                            URL',
    'shop  a        ready    -       1        12          3  up                               http://127.0.0.1:3001',
    'shop  b        down     -       1         -          -  down, 3 of 3 failed: status 503  http://127.0.0.1:3001',
    'shop  c        drain  14m       1         0          1  not yet                          http://127.0.0.1:3001',
    'shop  d        ready    -       1         0          0  -                                http://127.0.0.1:3001',
    '',
  ])
})

test('load shows the cluster beside the node that answers', async () => {
  await using server = await adminServer({
    load: async ({ pool }) => ({
      apiVersion,
      load: [{ pool: pool ?? 'all', backend: 'a', weight: null, cluster: 7, node: 2 }],
    }),
  })

  const run = await stickyCli(['load', '--pool', 'shop', '--admin', `http://${server.address}`])

  expect(run.stdout).toBe('POOL  BACKEND  WEIGHT  CLUSTER  THIS NODE\nshop  a             -        7          2\n')
})

test("cookies shows a session's cookies without their values", async () => {
  const expires = new Date(Date.now() + 90_500).toISOString()
  const cookies = [{ name: 'JSESSIONID', fingerprint: 'AAAAAAAAAAA', attributes: 'Path=/; HttpOnly', expires }]
  await using server = await adminServer({
    cookies: async (session) => ({ apiVersion, session, pool: 'shop', cookies }),
  })

  const run = await stickyCli(['cookies', idOf(1), '--admin', `http://${server.address}`])

  expect(run.stdout).toMatch(
    /^NAME +FINGERPRINT +EXPIRES IN +ATTRIBUTES\nJSESSIONID +A{11} +\d\ds +Path=\/; HttpOnly\n$/,
  )
})

test('nodes stars the one that answers and flags the one that differs', async () => {
  await using server = await adminServer({
    nodes: async () => ({
      apiVersion,
      complete: true,
      agree: false,
      nodes: [
        node('n1', { self: true }),
        node('n2', { silent: 5.2, away: 12 }),
        node('n3', { configHash: 'other', flags: ['other-configuration'] }),
      ],
    }),
  })

  const table = await stickyCli(['nodes', '--admin', `http://${server.address}`])
  const json = await stickyCli(['nodes', '--json', '--admin', `http://${server.address}`])

  expect(table.stdout).toMatch(
    /\nn1\* .* 5m +connected +0s ago +0123456789ab\nn2 .* away 12s +5s ago .*\nn3 .* other +OTHER CONFIGURATION\n$/,
  )
  expect(table.stderr).toBe('sticky-cli: the nodes run different configurations: compare that of n3 with the rest\n')
  expect(JSON.parse(json.stdout)).toMatchObject({
    apiVersion,
    agree: false,
    nodes: [{ id: 'n1' }, { id: 'n2' }, { id: 'n3' }],
  })
})

test('nodes of one id are told about once', async () => {
  const twins = [node('n1', { flags: ['duplicate-id'] }), node('n1', { flags: ['duplicate-id'] })]
  await using server = await adminServer({
    nodes: async () => ({ apiVersion, complete: true, agree: true, nodes: twins }),
  })

  const run = await stickyCli(['nodes', '--admin', `http://${server.address}`])

  expect(run.stdout.match(/DUPLICATE ID/g)).toHaveLength(2)
  expect(run.stderr).toBe('sticky-cli: several live nodes call themselves n1: give each its own node.id\n')
})

test('a node without its store shows itself, and that there may be others', async () => {
  const alone = node('n1', { self: true, lease: null, away: 3 })
  await using server = await adminServer({
    nodes: async () => ({ apiVersion, complete: false, agree: true, nodes: [alone] }),
  })

  const run = await stickyCli(['nodes', '--admin', `http://${server.address}`])

  expect(run).toMatchObject({ code: 1, stdout: expect.stringMatching(/\nn1\* .* away 3s /) })
  expect(run.stderr).toBe('sticky-cli: the store does not answer: only the node that answers is listed\n')
})

function node(id: string, differing: Partial<NodeResource>): NodeResource {
  return {
    id,
    instance: `${id}-1`,
    self: false,
    host: 'web-1',
    pid: 4242,
    version: '0.1.0',
    workers: 2,
    started: new Date(Date.now() - 300_000).toISOString(),
    configHash: '0123456789abcdef',
    addresses: ['127.0.0.1:8080'],
    lease: new Date(Date.now() + 6_000).toISOString(),
    silent: 0.4,
    away: null,
    flags: [],
    ...differing,
  }
}

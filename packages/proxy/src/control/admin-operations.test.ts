import { MemoryStore, type NodeAnnouncement, type NodeRow, StoreUnavailable, type Terms } from '@sticky/store'
import { describe, expect, test } from 'vitest'

import type { AdminApi, SessionResource } from './admin-api.ts'
import { backendOperations } from './admin-backends.ts'
import { clusterOperations, describeNodes } from './admin-cluster.ts'
import { moveOperations } from './admin-moves.ts'
import { sessionOperations } from './admin-sessions.ts'
import { testPool } from './fixtures.test-support.ts'
import { MoveCounts } from './move-counts.ts'
import type { WorkerReport } from './worker-report.ts'

const pools = [testPool('shop', ['a', 'b']), testPool('legacy', ['c'])]
const start = Date.UTC(2026, 4, 1, 12)
const id = (letter: string): string => letter.repeat(22)

describe('sessions', () => {
  test('are shown with seconds and RFC 3339 times, and asking renews nothing', async () => {
    const { api, bind, pass } = admin()
    await bind('shop', 'A', 'a', { age: 1_800_000, source: 'session-cookie', cookies: [cookie] })
    pass(90_500)

    const shown = await api.session(id('A'), {})
    const again = await api.session(id('A'), { pool: 'shop' })

    expect(again).toEqual(shown)
    expect(shown).toEqual({
      apiVersion: 'sticky/v1',
      id: id('A'),
      pool: 'shop',
      backend: 'a',
      version: start * 1000,
      source: 'session-cookie',
      created: '2026-05-01T12:00:00.000Z',
      touched: '2026-05-01T12:00:00.000Z',
      idle: 90.5,
      age: 1800,
      expires: expect.stringMatching(/^2026-05-01T12:3\d:00.000Z$/),
      ends: null,
      endsWithLastCookie: false,
      cookies: 1,
    })
  })

  test('tell that they end with their last cookie', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a', {
      age: 1_800_000,
      source: 'session-cookie',
      cookies: [cookie],
      endsWithLastCookie: true,
    })

    expect(await api.session(id('A'), {})).toMatchObject({ endsWithLastCookie: true })
  })

  test('of all pools are listed, of one when it is named, and never more than asked for', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a')
    await bind('shop', 'B', 'b')
    await bind('legacy', 'C', 'c')

    expect(await ids(api.sessions({}))).toEqual([id('A'), id('B'), id('C')])
    expect(await ids(api.sessions({ pool: 'legacy' }))).toEqual([id('C')])
    expect(await ids(api.sessions({ backend: 'b' }))).toEqual([id('B')])
    expect(await ids(api.sessions({ limit: 2 }))).toHaveLength(2)
  })

  test('idle for longer than asked are listed alone', async () => {
    const { api, bind, pass } = admin()
    await bind('shop', 'A', 'a')
    pass(10_000)
    await bind('shop', 'B', 'a')

    expect(await ids(api.sessions({ idleGt: 5 }))).toEqual([id('A')])
  })

  test('are counted by backend, those without any included', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'b')
    await bind('shop', 'B', 'elsewhere')

    expect(await api.countSessions({ pool: 'shop' })).toEqual({
      apiVersion: 'sticky/v1',
      total: 2,
      pools: [
        {
          pool: 'shop',
          total: 2,
          backends: [
            { backend: 'a', sessions: 0 },
            { backend: 'b', sessions: 1 },
            { backend: 'elsewhere', sessions: 1 },
          ],
        },
      ],
    })
  })

  test('are found by what a client presents', async () => {
    const { api, bind } = admin()
    await bind('legacy', 'C', 'c')

    const found = await api.findSessions({ cookie: 'JSESSIONID=C' })

    expect(found.sessions.map((session) => [session.pool, session.id])).toEqual([['legacy', id('C')]])
    expect(await api.findSessions({ cookie: 'JSESSIONID=D' })).toMatchObject({ sessions: [] })
  })

  test('end once', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a')

    expect(await api.endSession(id('A'), {})).toMatchObject({ id: id('A'), pool: 'shop', unacknowledged: [] })
    expect(await api.endSession(id('A'), {})).toBeUndefined()
    expect(await api.session(id('A'), {})).toBeUndefined()
  })

  test('of one id in two pools need the pool named', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a')
    await bind('legacy', 'A', 'c')

    await expect(api.session(id('A'), {})).rejects.toMatchObject({ code: 'ambiguous-session' })
    expect(await api.session(id('A'), { pool: 'legacy' })).toMatchObject({ backend: 'c' })
  })

  test.each(['', 'A', '{shop}'.padEnd(22, 'A'), `${'A'.repeat(22)}\r\n`])('are never looked for by %j', async (odd) => {
    const { api } = admin()

    expect(await api.session(odd, {})).toBeUndefined()
    expect(await api.endSession(odd, {})).toBeUndefined()
  })

  test('of a pool this node does not have are a problem', async () => {
    const { api } = admin()

    await expect(api.countSessions({ pool: 'nowhere' })).rejects.toMatchObject({ code: 'no-such-pool' })
    await expect(ids(api.sessions({ pool: 'nowhere' }))).rejects.toMatchObject({ code: 'no-such-pool' })
  })

  test('have cookies without their values', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a', { age: 60_000, source: 'session-cookie', cookies: [cookie] })

    expect(await api.cookies(id('A'), {})).toMatchObject({
      session: id('A'),
      pool: 'shop',
      cookies: [{ name: 'cart', fingerprint: 'fffffffffff', attributes: 'Path=/' }],
    })
    expect(await api.cookies(id('Z'), {})).toBeUndefined()
  })
})

describe('backends', () => {
  test('carry the sessions and exchanges of the cluster', async () => {
    const { api, bind, store } = admin()
    await bind('shop', 'A', 'a')
    store.load.begin('shop', 'b')

    const { backends } = await api.backends({ pool: 'shop' })

    expect(backends).toMatchObject([
      { id: 'a', url: 'http://a.example', weight: 1, state: 'ready', sessions: 1, inFlight: 0 },
      { id: 'b', state: 'ready', sessions: 0, inFlight: 1 },
    ])
  })

  test('are down when every worker has ejected them', async () => {
    const { api } = admin([report('a', 0, true), report('a', 0, true), report('b', 0, true), report('b', 0, false)])

    const { backends } = await api.backends({ pool: 'shop' })

    expect(backends.map((backend) => backend.state)).toEqual(['down', 'ready'])
  })

  test("show this node's part of their load", async () => {
    const { api, store } = admin([report('a', 2, false), report('a', 1, false)])
    for (let begun = 0; begun < 5; begun++) store.load.begin('shop', 'a')

    const { load } = await api.load({ pool: 'shop' })

    expect(load).toEqual([
      { pool: 'shop', backend: 'a', weight: 1, cluster: 5, node: 3 },
      { pool: 'shop', backend: 'b', weight: 1, cluster: 0, node: 0 },
    ])
  })
})

describe('nodes', () => {
  test('that run another configuration than most are flagged', () => {
    const nodes = [node('n1', { configHash: 'old' }), node('n2'), node('n3')]

    expect(flags(nodes)).toEqual([['other-configuration'], [], []])
  })

  test('at a draw run another configuration than the eldest', () => {
    const nodes = [node('n1', { configHash: 'new', started: 2 }), node('n2', { configHash: 'old', started: 1 })]

    expect(flags(nodes)).toEqual([['other-configuration'], []])
  })

  test('of one id are flagged, and we know ourselves by instance', () => {
    const nodes = [node('n1', { instance: 'one' }), node('n1', { instance: 'other' }), node('n2')]

    expect(flags(nodes)).toEqual([['duplicate-id'], ['duplicate-id'], []])
    expect(describeNodes(nodes, 'other', 0).map((described) => described.self)).toEqual([false, true, false])
  })

  test('tell for how long they were not heard of, and how long they have been without the store', () => {
    const nodes = [
      node('n1', { heard: start - 4_250, lease: start + 1_750 }),
      node('n2', { awaySince: start - 12_000 }),
    ]

    expect(describeNodes(nodes, 'n1', start)).toMatchObject([
      { silent: 4.25, away: null, lease: '2026-05-01T12:00:01.750Z' },
      { away: 12 },
    ])
  })

  test('are all unknown but the one that answers while the store is away', async () => {
    const { api, store } = admin()
    store.cluster.nodes = () => Promise.reject(new StoreUnavailable('away'))

    expect(await api.nodes()).toMatchObject({
      complete: false,
      agree: true,
      nodes: [{ id: 'self', self: true, lease: null, silent: 0 }],
    })
  })
})

const cookie = { name: 'cart', fingerprint: 'fffffffffff', age: 1_800_000, attributes: 'Path=/' }

function admin(reports: readonly WorkerReport[] = []) {
  let now = start
  const store = new MemoryStore({ now: () => now })
  const sources = {
    store,
    pools,
    self: () => announcement('self'),
    reports: async () => reports,
    orders: { of: () => undefined, heed: () => {}, refresh: async () => {} },
    acknowledgements: { missing: async () => [] },
    checks: {
      of: (_: string, backend: string) =>
        backend === 'b' ? { well: false, trouble: '3 of 3 failed: status 503' } : undefined,
    },
    moves: new MoveCounts(),
    recognise: async (pool: string, cookie: string) =>
      pool === 'legacy' ? { pool, id: id(cookie.at(-1)!) } : undefined,
  }
  const api: Omit<AdminApi, 'explain' | 'reload' | 'restartWorkers'> = {
    ...sessionOperations(sources),
    ...moveOperations(sources),
    ...backendOperations(sources),
    ...clusterOperations(sources),
  }
  const bind = (pool: string, letter: string, backend: string, terms: Terms = { age: 60_000, source: 'test' }) =>
    store.sessions.bind({ pool, id: id(letter) }, backend, 0, terms)
  const pass = (time: number): void => {
    now += time
  }
  return { api, store, bind, pass }
}

function report(backend: string, inFlight: number, ejected: boolean): WorkerReport {
  const health = { ejected, weight: 1, share: 1, canServe: !ejected, takesNewcomers: !ejected }
  return {
    metrics: [],
    backends: [{ pool: 'shop', backend, inFlight, ...health, state: ejected ? 'down' : 'ready' }],
  }
}

async function ids(sessions: AsyncIterable<SessionResource>): Promise<string[]> {
  const ids: string[] = []
  for await (const session of sessions) ids.push(session.id)
  return ids.sort()
}

function node(id: string, changes: Partial<NodeRow> = {}): NodeRow {
  return { ...announcement(id), heard: 0, lease: 0, ...changes }
}

function announcement(id: string): NodeAnnouncement {
  return {
    id,
    instance: id,
    host: 'host',
    pid: 1,
    version: '0.1.0',
    workers: 1,
    started: 0,
    configHash: 'same',
    opens: [],
    addresses: [],
  }
}

function flags(nodes: readonly NodeRow[]): (readonly string[])[] {
  return describeNodes(nodes, 'self', 0).map((described) => described.flags)
}

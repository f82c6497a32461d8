import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import {
  type AdminApi,
  AdminProblem,
  apiVersion,
  type BackendDocument,
  type BulkMove,
  type BulkProgress,
  type BulkSelection,
} from '@sticky/proxy/admin-api'
import { StoreUnavailable } from '@sticky/store'
import { describe, expect, test } from 'vitest'

import { adminServer, idOf, session } from './admin-fixture.ts'
import { startCli, stickyCli } from './sticky-cli.ts'

const drain = ['backends', 'drain', 'shop/a', '--interval', '20ms']

describe('backends drain', () => {
  test('says what the backend still carries, and waits for nothing by itself', async () => {
    const run = await drained([{ sessions: 12, inFlight: 3 }], drain)

    expect(run).toMatchObject({
      code: 0,
      stdout: 'shop/a takes no newcomers: drain, weight 1, 12 sessions, 3 in flight\n',
      stderr: '',
    })
  })

  test('waits until the backend is empty', async () => {
    const carried = [{ sessions: 2 }, { sessions: 1 }, { inFlight: 1 }, { drained: true }]

    const run = await drained(carried, [...drain, '--timeout', '10s'])

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n', stderr: '', looks: 4 })
  })

  test('shows what is left, for people and for programs', async () => {
    const carried = [{ sessions: 2 }, { inFlight: 1 }, { drained: true }]

    const people = await drained(carried, [...drain, '--watch'])
    const programs = await drained(carried, [...drain, '--watch', '--json'])

    expect(people.stdout.replace(/^\S+/gm, 'T')).toBe(
      [
        'T  shop/a  drain  2 sessions, 0 in flight left',
        'T  shop/a  drain  0 sessions, 1 in flight left',
        'T  shop/a  drain  0 sessions, 0 in flight left',
        'T is empty',
        '',
      ].join('\n'),
    )
    const lines = programs.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as BackendDocument)
    expect(lines.map(({ sessions, inFlight, drained }) => [sessions, inFlight, drained])).toEqual([
      [2, 0, false],
      [0, 1, false],
      [0, 0, true],
    ])
  })

  test('ends with 5 where the backend is not empty in time, and leaves it as it is', async () => {
    const run = await drained([{ sessions: 2, inFlight: 1 }], [...drain, '--timeout', '100ms'])

    expect(run).toMatchObject({ code: 5, stdout: '', bulk: [] })
    expect(run.stderr).toBe('sticky-cli: shop/a is not empty after 0s: 2 sessions, 1 in flight; it stays in drain\n')
  })

  test.each(['move', 'end'] as const)('has its sessions %s at the deadline, their WebSockets closed', async (then) => {
    const run = await drained([{ sessions: 2 }], [...drain, '--timeout', '50ms', '--then', then])

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n' })
    expect(run.bulk).toEqual([[then, { pool: 'shop', from: 'a', close: true, reason: 'drain' }]])
    expect(run.stderr).toBe(`sticky-cli: 2 sessions of shop/a were ${then === 'move' ? 'moved' : 'ended'}\n`)
  })

  test('has those moved, too, that turn up after the first pass', async () => {
    const left = { carried: [{ sessions: 2 }], after: [{ sessions: 1 }, { inFlight: 1 }, { drained: true }] }

    const run = await drained(left, [...drain, '--timeout', '50ms', '--then', 'move'])

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n' })
    expect(run.bulk.map(([what]) => what)).toEqual(['move', 'move'])
    expect(run.stderr).toBe('sticky-cli: 4 sessions of shop/a were moved\n')
  })

  test('makes another pass where one failed', async () => {
    const left = { carried: [{ sessions: 2 }], after: ['away', { sessions: 2 }, { drained: true }] as const, broken: 1 }

    const run = await drained(left, [...drain, '--timeout', '50ms', '--then', 'end'])

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n' })
    expect(run.bulk.map(([what]) => what)).toEqual(['end', 'end'])
    expect(run.stderr).toBe(
      'sticky-cli: the store does not answer; looking again until it is back\nsticky-cli: the admin API is back\nsticky-cli: 2 sessions of shop/a were ended\n',
    )
  })

  test('ends with 5 where sessions turn up again and again', async () => {
    const left = { carried: [{ sessions: 2 }], after: [{ sessions: 1 }] }

    const run = await drained(left, [...drain, '--timeout', '50ms', '--then', 'move', '--interval', '500ms'])

    expect(run).toMatchObject({ code: 5, stdout: '' })
    expect(run.bulk.length).toBeGreaterThan(5)
    expect(run.stderr).toMatch(
      /^sticky-cli: \d+ sessions of shop\/a were moved\nsticky-cli: shop\/a is not empty after 0s and moving its sessions: 1 sessions, 0 in flight; it stays in drain\n$/,
    )
  })

  test('touches no session where somebody has set the backend to ready meanwhile', async () => {
    const carried = [{ sessions: 2 }, { sessions: 2, state: 'ready', wanted: 'ready' }] as const

    const run = await drained(carried, [...drain, '--timeout', '10s', '--then', 'end'])

    expect(run).toMatchObject({ code: 1, stdout: '', bulk: [] })
    expect(run.stderr).toBe('sticky-cli: shop/a was set to ready meanwhile, which ends its drain\n')
  })

  test('says so where sessions are in no table', async () => {
    const run = await drained(
      [
        { keepsSessions: false, inFlight: 1 },
        { keepsSessions: false, drained: true },
      ],
      [...drain, '--timeout', '10s'],
    )

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n' })
    expect(run.stderr).toMatch(/^sticky-cli: sessions of pool shop are in no table: only exchanges are waited for/)
  })

  test.each([
    [[['n2'], []], 0, ''],
    [
      [['n2'], ['n2']],
      5,
      'sticky-cli: shop/a is empty, but not every worker of n2 has said in time that this is in force there; sticky-cli nodes tells when it was last heard of\n',
    ],
  ])('asks again whether all obey when one did not at first: %j', async (unacknowledged, code, end) => {
    const left = { carried: [{ sessions: 1 }, { sessions: 1 }, { drained: true }], unacknowledged }

    const run = await drained(left, [...drain, '--timeout', '10s'])

    expect(run).toMatchObject({ code, stdout: 'shop/a is empty\n' })
    expect(run.stderr).toBe(
      `sticky-cli: not every worker of n2 has said in time that this is in force there; sticky-cli nodes tells when it was last heard of\n${end}`,
    )
  })

  test('goes on when the node or its store was away for a moment', async () => {
    const run = await drained([{ sessions: 1 }, 'away', 'away', { drained: true }], [...drain, '--timeout', '10s'])

    expect(run).toMatchObject({ code: 0, stdout: 'shop/a is empty\n' })
    expect(run.stderr).toBe(
      'sticky-cli: the store does not answer; looking again until it is back\nsticky-cli: the admin API is back\n',
    )
  })

  test('stays when it is interrupted, and says so', async () => {
    await using server = await adminServer(draining({ carried: [{ sessions: 1 }] }).api)
    const child = startCli([...drain, '--watch', '--admin', `http://${server.address}`])
    const said = text(child.stderr)
    await once(child.stdout, 'data')

    child.kill('SIGINT')

    const [code] = await once(child, 'exit')
    expect(code).toBe(130)
    expect(await said).toBe('sticky-cli: shop/a stays in drain; sticky-cli backends ready shop/a takes that back\n')
  })

  test('may have been said already when it is interrupted before the answer', async () => {
    const asked = Promise.withResolvers<void>()
    await using server = await adminServer({
      changeBackend() {
        asked.resolve()
        return new Promise(() => {})
      },
    })
    const child = startCli([...drain, '--admin', `http://${server.address}`])
    const said = text(child.stderr)
    await asked.promise

    child.kill('SIGINT')

    const [code] = await once(child, 'exit')
    expect(code).toBe(130)
    expect(await said).toBe(
      'sticky-cli: shop/a may be in drain by now; sticky-cli backends ready shop/a takes that back\n',
    )
  })

  test('needs a time for what is to be done when that is up', async () => {
    const run = await drained([{ sessions: 1 }], [...drain, '--then', 'move'])

    expect(run).toMatchObject({ code: 2, stderr: 'sticky-cli: drain --then needs --timeout\n', looks: 0 })
  })
})

test.each([
  [['backends', 'ready', 'shop/a'], { state: 'ready' }, 'is set to ready'],
  [['backends', 'maint', 'shop/a'], { state: 'maint' }, 'is set to maint'],
  [['backends', 'weight', 'shop/a', '3'], { weight: 3 }, 'has weight 3'],
  [['backends', 'weight', 'shop/a', 'configured'], { weight: null }, 'has its configured weight again'],
])('%j changes just that, and names who has not said that it is in force', async (words, change, what) => {
  const changes: unknown[] = []
  await using server = await adminServer({
    async changeBackend(pool, id, changed) {
      changes.push([pool, id, changed])
      return { ...document({ state: 'ready' }), unacknowledged: ['n2', 'n3'] }
    },
  })

  const run = await stickyCli([...words, '--admin', `http://${server.address}`])

  expect(changes).toEqual([['shop', 'a', change]])
  expect(run).toMatchObject({ code: 5, stdout: `shop/a ${what}: ready, weight 1, 0 sessions, 0 in flight\n` })
  expect(run.stderr).toBe(
    `sticky-cli: shop/a ${what}, but not every worker of n2, n3 has said in time that this is in force there; sticky-cli nodes tells when they were last heard of\n`,
  )
})

describe('sessions move', () => {
  test('moves one, if it has that version', async () => {
    const moves: unknown[] = []
    await using server = await adminServer({
      async moveSession(id, move, query) {
        moves.push([id, move, query])
        return { ...session(id, 'b'), unacknowledged: [] }
      },
    })

    const words = [
      'sessions',
      'move',
      idOf(1),
      '--to',
      'b',
      '--if-version',
      '1763740000000000',
      '--close',
      '--pool',
      'shop',
    ]
    const run = await stickyCli([...words, '--admin', `http://${server.address}`])

    expect(run).toMatchObject({ code: 0, stdout: `session ${idOf(1)} lives on b\n`, stderr: '' })
    expect(moves).toEqual([
      [idOf(1), { backend: 'b', ifVersion: 1_763_740_000_000_000, close: true }, { pool: 'shop' }],
    ])
  })

  test('moves none where it is only to say what it would do', async () => {
    const moves: unknown[] = []
    await using server = await adminServer({
      async moveSession(id, move) {
        moves.push(move)
        return { ...session(id, 'a'), unacknowledged: [] }
      },
    })

    const words = ['sessions', 'move', idOf(1), '--to', 'b', '--dry-run']
    const run = await stickyCli([...words, '--admin', `http://${server.address}`])

    expect(run).toMatchObject({ code: 0, stdout: `session ${idOf(1)} would live on b\n`, stderr: '' })
    expect(moves).toEqual([{ backend: 'b', dryRun: true }])
  })

  test.each([
    ['--idle-gt', '5m'],
    ['--limit', '1'],
    ['--rate', '5'],
  ])('of an id and %s takes neither', async (...words) => {
    const run = await stickyCli(['sessions', 'move', idOf(1), '--to', 'b', ...words])

    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toBe('sticky-cli: --idle-gt, --limit and --rate go with --from, not with an id\n')
  })

  test('tells how far it is with many, and what became of those that did not move', async () => {
    const moves: BulkMove[] = []
    await using server = await adminServer({
      async *moveSessions(move) {
        moves.push(move)
        yield progress({ changed: 500 })
        yield progress({ changed: 900, skipped: 2, gone: 1, done: true })
      },
    })

    const words = ['sessions', 'move', '--from', 'shop/a', '--idle-gt', '5m', '--limit', '1000', '--rate', '200/s']
    const people = await stickyCli([...words, '--admin', `http://${server.address}`])
    const programs = await stickyCli([...words, '--json', '--admin', `http://${server.address}`])

    expect(people).toMatchObject({
      code: 0,
      stdout: '900 sessions moved away from a; 2 had moved by themselves, 1 had ended\n',
      stderr: 'sticky-cli: 500 sessions moved so far\n',
    })
    expect(
      programs.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as BulkProgress).changed),
    ).toEqual([500, 900])
    expect(moves[0]).toEqual({ pool: 'shop', from: 'a', idleGt: 300, limit: 1000, rate: 200 })
  })
})

type Carried = Partial<BackendDocument> | 'away'

interface Left {
  readonly carried: readonly Carried[]
  /** What it carries when sessions have been moved or ended; nothing by default. */
  readonly after?: readonly Carried[]
  /** So many passes over its sessions fail. */
  readonly broken?: number
  /** Who has not acknowledged that it drains, each time it is said. */
  readonly unacknowledged?: readonly (readonly string[])[]
}

/** A node whose backend carries this and that from look to look. */
function draining({ carried, after = [{ drained: true }], broken = 0, unacknowledged = [] }: Left) {
  const state = { looks: 0, looksAfter: 0, said: 0, bulk: [] as [string, BulkSelection][] }
  const seen = (): BackendDocument => {
    const [list, look] = state.bulk.length > 0 ? [after, state.looksAfter++] : [carried, state.looks]
    const now = list[Math.min(look, list.length - 1)]!
    if (now === 'away') throw new AdminProblem('store-unavailable', 'the store does not answer')
    return document(now)
  }
  const bulk = (what: string) =>
    async function* (selection: BulkSelection): AsyncGenerator<BulkProgress> {
      state.bulk.push([what, selection])
      if (state.bulk.length <= broken) throw new StoreUnavailable('away')
      yield progress({ changed: 2, done: true })
    }
  const api: Partial<AdminApi> = {
    async backend() {
      try {
        return seen()
      } finally {
        state.looks++
      }
    },
    changeBackend: async () => ({ ...seen(), unacknowledged: unacknowledged[state.said++] ?? [] }),
    moveSessions: bulk('move'),
    endSessions: bulk('end'),
  }
  return { api, state }
}

async function drained(left: Left | Left['carried'], words: readonly string[]) {
  const { api, state } = draining('carried' in left ? left : { carried: left })
  await using server = await adminServer(api)
  return { ...(await stickyCli([...words, '--admin', `http://${server.address}`])), ...state }
}

function document(parts: Partial<BackendDocument>): BackendDocument {
  return {
    ...{ apiVersion, pool: 'shop', id: 'a', url: 'http://127.0.0.1:3001', weight: 1, state: 'drain', wanted: 'drain' },
    ...{
      check: null,
      since: '2026-05-01T12:00:00.000Z',
      drained: false,
      keepsSessions: true,
      sessions: 0,
      inFlight: 0,
    },
    ...parts,
  }
}

function progress(parts: Partial<BulkProgress>): BulkProgress {
  return { apiVersion, done: false, changed: 0, skipped: 0, gone: 0, unacknowledged: [], ...parts }
}

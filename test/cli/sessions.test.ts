import { apiVersion, type SessionQuery, type SessionResource } from '@sticky/proxy/admin-api'
import { describe, expect, test } from 'vitest'

import { adminServer, idOf, session } from './admin-fixture.ts'
import { startCli, stickyCli } from './sticky-cli.ts'

describe('sessions list', () => {
  test('bare sessions is a table of who lives where', async () => {
    await using server = await adminServer({ sessions: () => listOf(session(idOf(1), 'a'), session(idOf(2), 'b')) })

    const run = await stickyCli(['sessions', '--admin', `http://${server.address}`])

    expect(run).toMatchObject({ code: 0, stderr: '' })
    const [titles, first, second] = run.stdout.split('\n')
    expect(titles).toMatch(/^SESSION +POOL +BACKEND +SOURCE +BEGAN +IDLE +EXPIRES IN +COOKIES$/)
    expect(first).toMatch(/^0{21}1 +shop +a +session-cookie +14m +60s +28m +1$/)
    expect(second).toMatch(/^0{21}2 +shop +b /)
  })

  test('--json is one line for each session, with seconds and RFC 3339', async () => {
    const living = [session(idOf(1)), session(idOf(2))]
    await using server = await adminServer({ sessions: () => listOf(...living) })

    const run = await stickyCli(['--json', 'sessions', 'list'], { STICKY_ADMIN: `http://${server.address}` })

    expect(
      run.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(living)
  })

  test('filters reach the node, wherever they stand', async () => {
    const asked: SessionQuery[] = []
    await using server = await adminServer({
      sessions(query) {
        asked.push(query)
        return listOf()
      },
    })
    const filters = ['--pool', 'shop', '--backend', 'a', '--idle-gt', '5m', '--limit', '3']

    const bare = await stickyCli(['sessions', ...filters, '--admin', `http://${server.address}`])
    const named = await stickyCli(['--admin', `http://${server.address}`, 'sessions', 'list', ...filters])

    const query = { pool: 'shop', backend: 'a', idleGt: 300, limit: 3 }
    expect(asked).toEqual([query, query])
    expect([bare.stderr, named.stderr]).toEqual(Array(2).fill('sticky-cli: no live sessions\n'))
    expect([bare.stdout, bare.code]).toEqual(['', 0])
  })

  test('a list far larger than memory comes whole', async () => {
    await using server = await adminServer({ sessions: () => endless(300_000) })
    using child = startCli(['sessions', '--json', '--admin', `http://${server.address}`], {
      NODE_OPTIONS: '--max-old-space-size=64',
    })

    let lines = 0
    for await (const chunk of child.stdout) for (const byte of chunk as Buffer) if (byte === 10) lines++

    expect(lines).toBe(300_000)
  }, 60_000)

  test('a reader that has seen enough ends it quietly', async () => {
    await using server = await adminServer({ sessions: () => endless(1_000_000) })
    using child = startCli(['sessions', '--admin', `http://${server.address}`])
    const stderr = collect(child.stderr)

    for await (const _ of child.stdout) break
    const code = await new Promise((closed) => child.once('exit', closed))

    expect([code, await stderr]).toEqual([0, ''])
  })

  test('Ctrl-C ends with 130', async () => {
    await using server = await adminServer({ sessions: () => stalling(300) })
    using child = startCli(['sessions', '--admin', `http://${server.address}`])
    const stderr = collect(child.stderr)

    for await (const _ of child.stdout) child.kill('SIGINT')

    expect([child.exitCode ?? (await new Promise((closed) => child.once('exit', closed))), await stderr]).toEqual([
      130,
      '',
    ])
  })

  test('a list that breaks off is a failure, after what came', async () => {
    await using server = await adminServer({ sessions: () => breakingOff(1000) })

    const run = await stickyCli(['sessions', '--json', '--admin', `http://${server.address}`])

    expect(run.code).toBe(1)
    expect(run.stdout).toContain(idOf(1))
    expect(run.stderr).toMatch(/^sticky-cli: the list of sessions broke off before its end: .+\n$/)
  })
})

describe('sessions show', () => {
  test('a session is shown by its id, even one that begins with a dash', async () => {
    const id = '-AAAAAAAAAAAAAAAAAAAA_'
    await using server = await adminServer({ session: async (asked) => (asked === id ? session(id) : undefined) })

    const run = await stickyCli(['sessions', 'show', id, '--admin', `http://${server.address}`])

    expect(run.stdout).toMatch(/^session: +-A+_\npool: +shop\nbackend: +a\n/)
    expect(run.stdout).toContain('ends:     never, while it is used\n')
  })

  test.each([
    [null, 'with its last cookie'],
    ['2099-01-01T00:00:00Z', '2099-01-01T00:00:00Z (in'],
  ])('a session that ends with its last cookie says so, with %s as its end', async (ends, said) => {
    const shown = { ...session(idOf(1)), ends, endsWithLastCookie: true }
    await using server = await adminServer({ session: async () => shown })

    const run = await stickyCli(['sessions', 'show', idOf(1), '--admin', `http://${server.address}`])

    expect(run.stdout).toContain(`ends:     ${said}`)
    expect(run.stdout).toMatch(/with its last cookie\n/)
  })

  test('a session is found by the cookie of its client', async () => {
    const search: unknown[] = []
    await using server = await adminServer({
      async findSessions(asked) {
        search.push(asked)
        return { apiVersion, sessions: [session(idOf(7))] }
      },
    })

    const run = await stickyCli([
      'sessions',
      'show',
      '--cookie',
      'JSESSIONID=a=b',
      '--json',
      '--admin',
      `http://${server.address}`,
    ])

    expect(search).toMatchObject([{ cookie: 'JSESSIONID=a=b' }])
    expect(JSON.parse(run.stdout).sessions[0].id).toBe(idOf(7))
  })

  test('what does not live is not found', async () => {
    await using server = await adminServer({
      session: async () => undefined,
      findSessions: async () => ({ apiVersion, sessions: [] }),
      endSession: async () => undefined,
      cookies: async () => undefined,
    })
    const admin = ['--admin', `http://${server.address}`]

    const runs = await Promise.all([
      stickyCli(['sessions', 'show', idOf(1), ...admin]),
      stickyCli(['sessions', 'show', '--cookie', 'a=b', ...admin]),
      stickyCli(['sessions', 'end', idOf(1), ...admin]),
      stickyCli(['cookies', idOf(1), ...admin]),
    ])

    const absent = `sticky-cli: no live session has the id ${idOf(1)}\n`
    expect(runs.map(({ code }) => code)).toEqual([3, 3, 3, 3])
    expect(runs.map(({ stderr }) => stderr)).toEqual([
      absent,
      'sticky-cli: no live session is recognised by this cookie\n',
      absent,
      absent,
    ])
  })
})

test('sessions count is exact by pool and backend, and narrows to one backend', async () => {
  const backends = [
    { backend: 'a', sessions: 30 },
    { backend: 'b', sessions: 12 },
  ]
  await using server = await adminServer({
    countSessions: async () => ({ apiVersion, total: 42, pools: [{ pool: 'shop', total: 42, backends }] }),
  })
  const admin = ['--admin', `http://${server.address}`]

  const all = await stickyCli(['sessions', 'count', ...admin])
  const one = await stickyCli(['sessions', 'count', '--backend', 'b', '--json', ...admin])

  expect(all.stdout).toMatch(/^POOL +BACKEND +SESSIONS\nshop +a +30\nshop +b +12\ntotal +42\n$/)
  expect(JSON.parse(one.stdout)).toEqual({
    apiVersion,
    total: 12,
    pools: [{ pool: 'shop', total: 12, backends: [{ backend: 'b', sessions: 12 }] }],
  })
})

test('sessions end ends one session and says so', async () => {
  const ended: string[] = []
  await using server = await adminServer({
    async endSession(id) {
      ended.push(id)
      return { apiVersion, id, pool: 'shop', unacknowledged: [] }
    },
  })

  const run = await stickyCli(['sessions', 'end', idOf(5), '--admin', `http://${server.address}`])

  expect(ended).toEqual([idOf(5)])
  expect(run).toMatchObject({ code: 0, stdout: `session ${idOf(5)} ended\n`, stderr: '' })
})

async function* listOf(...sessions: SessionResource[]): AsyncGenerator<SessionResource> {
  yield* sessions
}

async function* endless(count: number): AsyncGenerator<SessionResource> {
  const sample = session('')
  for (let n = 1; n <= count; n++) yield { ...sample, id: idOf(n) }
}

async function* stalling(after: number): AsyncGenerator<SessionResource> {
  yield* endless(after)
  await new Promise(() => {})
}

async function* breakingOff(after: number): AsyncGenerator<SessionResource> {
  yield* endless(after)
  throw new Error('planted by the test')
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

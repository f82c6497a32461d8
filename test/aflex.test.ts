import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { eventually } from './support/eventually.ts'
import { type Ask, Pair, type Reply } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

let apps: readonly ScriptedApp[]
let doomed: readonly ScriptedApp[]
let streaming: Server
let pair: Pair

beforeAll(async () => {
  apps = await Promise.all(['a', 'b', 'c'].map((id) => ScriptedApp.start(id)))
  doomed = await Promise.all(['a', 'b', 'c'].map((id) => ScriptedApp.start(id)))
  streaming = await streamingApp()
  pair = await Pair.start(configuration())
}, 30_000)

afterAll(async () => {
  streaming?.closeAllConnections()
  streaming?.close()
  await Promise.all([pair, ...(apps ?? []), ...(doomed ?? [])].map((each) => each?.[Symbol.asyncDispose]()))
})

/** Every pool has a host name of its own; the nodes believe what 127.0.0.1 says of clients, and nobody else. */
function configuration(): object {
  const jsessionid = { cookie: 'JSESSIONID' }
  const address = { clientAddress: true }
  const tenant = { header: 'X-Tenant', learn: 'request' }
  const sid = { query: 'sid', learn: { body: '^0\\{"sid":"([^"]+)"' } }
  const example = parse(readFileSync(new URL('../examples/aflex.yaml', import.meta.url), 'utf8')) as Example
  const pools = {
    plain: pool({ from: [jsessionid] }),
    other: pool({ from: [jsessionid] }),
    sharing: pool({ from: [jsessionid], share: 'plain' }),
    named: pool({ from: [{ cookie: 'APPSID' }] }),
    aged: pool({ from: [jsessionid], age: '1s' }),
    streaming: pool({ from: [jsessionid], age: '1s' }, [{ id: 's', url: urlOf(streaming) }]),
    doomed: pool({ from: [jsessionid] }, backends(doomed)),
    gone: pool({ from: [{ header: 'Mcp-Session-Id' }], endOn: ['DELETE'], whenGone: 'gone' }, backends(doomed)),
    address: pool({ from: [jsessionid, address] }),
    networks: pool({ from: [{ ...address, ipv4: 24, ipv6: 48 }] }),
    polling: pool({ from: [sid] }),
    rotating: pool({ from: [tenant], newPerClient: { count: 5, per: '1h' } }),
    full: pool({ from: [tenant], maxSessions: 10 }),
  }
  const ids = Object.keys(pools)
  return {
    trustedProxies: example.trustedProxies,
    pools: { ...pools, ...served(example.pools) },
    routes: [...ids.map((id) => ({ host: `${id}.example.com`, pool: id })), ...example.routes],
  }
}

interface Example {
  readonly trustedProxies: readonly string[]
  readonly pools: Readonly<Record<string, object>>
  readonly routes: readonly object[]
}

/** The example's pools, on backends that are there. */
function served(pools: Example['pools']): Example['pools'] {
  const there = backends(apps).slice(0, 2)
  return Object.fromEntries(
    Object.entries(pools).map(([id, rest]) => [id, { ...rest, backends: there, balance: 'roundRobin' }]),
  )
}

function pool(rules: object, on = backends(apps)): object {
  return { backends: on, balance: 'roundRobin', affinity: [{ strategy: 'persistence-key', ...rules }] }
}

function backends(of: readonly ScriptedApp[]): { id: string; url: string }[] {
  return of.map(({ id, url }) => ({ id, url }))
}

const ask = (id: string, asked: Ask = {}): Promise<Reply> => pair.ask({ host: `${id}.example.com`, ...asked })

const setting = (id: string, cookie: string, asked: Ask = {}): Promise<Reply> =>
  ask(id, { ...asked, answer: { headers: { 'Set-Cookie': cookie } } })

const from = (address: string, asked: Ask = {}): Ask => ({ ...asked, headers: { 'X-Forwarded-For': address } })

const sessions = (id: string): Promise<number> => pair.nodes[0].sessionCount(id)

/** The applications that answer the same request six times, by turns over both nodes: one, if it sticks. */
async function appsOf(id: string, asked: Ask): Promise<readonly (string | undefined)[]> {
  const found = new Set<string | undefined>()
  for (let count = 0; count < 6; count++) found.add((await ask(id, asked)).app)
  return [...found]
}

describe('the cookie that the application sets', () => {
  test('3b.1 names the session from the next request on, although the first request had none', async () => {
    const { app } = await setting('plain', 'JSESSIONID=first; Path=/')

    expect(await appsOf('plain', { cookie: 'JSESSIONID=first' })).toEqual([app])
  })

  test.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
    ['POST', 303],
    ['GET', 500],
  ])('3b.1 names it whatever the answer is: %s %i', async (method, status) => {
    const cookie = `JSESSIONID=${method}-${status}`
    const { app } = await ask('plain', { method, answer: { status, headers: { 'Set-Cookie': cookie } } })

    expect(app).toBeDefined()
    expect(await appsOf('plain', { cookie })).toEqual([app])
  })

  test('3b.1 names the session of its own request, of several on one connection', async () => {
    const homes = await Promise.all(['p1', 'p2', 'p3'].map((value) => setting('plain', `JSESSIONID=${value}`)))

    const lines = ['p1', 'p2', 'p3', 'p1'].map(
      (value) => `GET / HTTP/1.1\r\nHost: plain.example.com\r\nCookie: JSESSIONID=${value}\r\n`,
    )
    const answers = await pipelined(`${lines.join('\r\n')}Connection: close\r\n\r\n`)

    const [p1, p2, p3] = homes.map(({ app }) => app)
    expect(answers).toEqual([p1, p2, p3, p1])
  })

  test('3b.2 may change from A to B: B stays there, and A ages', async () => {
    const { app } = await setting('plain', 'JSESSIONID=before')
    const change = await setting('plain', 'JSESSIONID=after', { cookie: 'JSESSIONID=before' })

    expect(change.app).toBe(app)
    expect(await appsOf('plain', { cookie: 'JSESSIONID=after' })).toEqual([app])
    expect(await appsOf('plain', { cookie: 'JSESSIONID=before' })).toEqual([app])
  })

  test.each(['', '""', 'null', '"null"'])('3b.3 is no key when it is %j', async (value) => {
    const before = await sessions('plain')

    await setting('plain', `JSESSIONID=${value}`)

    expect((await appsOf('plain', { cookie: `JSESSIONID=${value}` })).toSorted()).toEqual(['a', 'b', 'c'])
    expect(await sessions('plain')).toBe(before)
  })

  test.each([
    ['two of its name: the first counts', 'JSESSIONID=ninth; JSESSIONID=other'],
    ['a quoted value: equal to the bare one', 'JSESSIONID="ninth"'],
    ['it among others', 'a=1; JSESSIONID=ninth; b="'],
  ])('3b.9 %s', async (_, cookie) => {
    const { app } = await setting('plain', 'JSESSIONID=ninth', { cookie: 'JSESSIONID=ninth' })

    expect(await appsOf('plain', { cookie })).toEqual([app])
  })

  test.each(['Max-Age=0', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'])('3b.10 ends the session with %s', async (end) => {
    const cookie = `JSESSIONID=${end.replace(/\W/g, '')}`
    const before = await sessions('plain')
    await setting('plain', cookie)
    expect(await sessions('plain')).toBe(before + 1)

    await setting('plain', `${cookie}; ${end}`, { cookie })

    await eventually(
      () => sessions('plain'),
      (count) => count === before,
    )
    expect(await appsOf('plain', { cookie })).toHaveLength(3)
  })

  test('3b.11 belongs to the first of two nodes that learn it at once; the other adopts its choice', async () => {
    for (const round of [1, 2, 3, 4, 5]) {
      const cookie = `JSESSIONID=race-${round}`
      const answers = await Promise.all(([0, 1] as const).map((node) => setting('plain', cookie, { node })))

      const [home, ...others] = await appsOf('plain', { cookie })
      expect(others).toEqual([])
      expect(answers.map(({ app }) => app)).toContain(home)
    }
  })

  test('3b.12 has in each pool the name that the pool says, in this case', async () => {
    const { app } = await setting('named', 'APPSID=A')
    await setting('named', 'JSESSIONID=A')

    expect(await appsOf('named', { cookie: 'APPSID=A' })).toEqual([app])
    expect(await appsOf('named', { cookie: 'appsid=A' })).toHaveLength(3)
    expect(await appsOf('named', { cookie: 'JSESSIONID=A' })).toHaveLength(3)
    expect(await sessions('named')).toBe(1)
  })
})

describe('the idle age', () => {
  test('3b.4 is renewed by each request, and ends the session when none comes', async () => {
    const { app } = await setting('aged', 'JSESSIONID=A')
    const begun = performance.now()

    const asked = await eventually(
      () => ask('aged', { cookie: 'JSESSIONID=A' }),
      (reply) => reply.app !== app || performance.now() - begun > 2_000,
    )
    expect(asked.app).toBe(app)

    await eventually(
      () => sessions('aged'),
      (count) => count === 0,
    )
    expect(await appsOf('aged', { cookie: 'JSESSIONID=A' })).toHaveLength(3)
  })

  test('3b.4 counts from the last request, however long its answer streams', async () => {
    const { port } = pair.nodes[0]
    const call = request({ host: '127.0.0.1', port, headers: { Host: 'streaming.example.com' }, agent: false }).end()
    const [stream] = (await once(call, 'response')) as [IncomingMessage]
    expect(await sessions('streaming')).toBe(1)

    await eventually(
      () => sessions('streaming'),
      (count) => count === 0,
    )

    expect(stream.complete).toBe(false)
    stream.destroy()
  })
})

describe('values that nobody set', () => {
  test('3b.5 create nothing by being looked up', async () => {
    const before = await sessions('plain')

    for (let value = 0; value < 20; value++) await ask('plain', { cookie: `JSESSIONID=invented-${value}` })

    expect(await sessions('plain')).toBe(before)
  })

  test('3b.5 that change with every request begin as many sessions as one client may, and are served', async () => {
    const replies = await rotate('rotating', 40)

    expect(replies.every(({ status }) => status === 200)).toBe(true)
    expect(await sessions('rotating')).toBe(10) // 5 by each node's one worker.
    expect(await refused('rotating', 'client-limit')).toBe(30)
  })

  test('3b.5 that change with every request, from everywhere, fill a pool to its limit', async () => {
    const replies = await rotate('full', 60, (count) => `198.51.100.${count}`)

    expect(replies.every(({ status }) => status === 200)).toBe(true)
    // Each node knows of what the other began as of the last count, a second ago at most.
    expect(await sessions('full')).toBeLessThanOrEqual(20)
    expect(await refused('full', 'pool-limit')).toBe(60 - (await sessions('full')))
  })

  async function rotate(id: string, number: number, address = (_: number) => '192.0.2.1'): Promise<Reply[]> {
    const replies: Reply[] = []
    for (let count = 0; count < number; count++) {
      const headers = { 'X-Tenant': `tenant-${count}`, 'X-Forwarded-For': address(count) }
      replies.push(await ask(id, { headers }))
    }
    return replies
  }

  async function refused(id: string, reason: string): Promise<number> {
    const texts = await Promise.all(
      pair.nodes.map(async ({ admin }) => (await fetch(new URL('/metrics', admin))).text()),
    )
    const line = new RegExp(`^sticky_sessions_refused_total\\{pool="${id}",reason="${reason}"\\} (\\d+)`, 'm')
    return texts.reduce((total, text) => total + Number(line.exec(text)?.[1] ?? 0), 0)
  }
})

describe("the client's address, where there is no cookie", () => {
  test('3b.6 is told by a trusted proxy, and each client has a home of its own', async () => {
    const homes = await Promise.all(
      ['192.0.2.11', '192.0.2.12', '192.0.2.13', '192.0.2.14'].map((client) => appsOf('address', from(client))),
    )

    for (const home of homes) expect(home).toHaveLength(1)
    expect(new Set(homes.flat()).size).toBeGreaterThan(1)
  })

  test('3b.6 is the same in IPv4 and in IPv6 that has it', async () => {
    const [home] = await appsOf('address', from('192.0.2.20'))

    expect(await appsOf('address', from('::ffff:192.0.2.20'))).toEqual([home])
    expect(await appsOf('address', from('::ffff:c000:0214'))).toEqual([home])
  })

  test.each([
    ['the /64 of IPv6', 'address', '2001:db8:0:7::1', '2001:db8:0:7:ffff::2', true],
    ['not the /63', 'address', '2001:db8:0:8::1', '2001:db8:0:9::1', false],
    ['as many bits as the pool says of IPv4', 'networks', '10.1.2.3', '10.1.2.200', true],
    ['no fewer bits', 'networks', '10.1.4.3', '10.1.5.3', false],
    ['as many bits as the pool says of IPv6', 'networks', '2001:db8:1:2::', '2001:db8:1:ffff::', true],
  ])('3b.6 is that of its network: %s', async (_, id, one, other, same) => {
    await ask(id, from(one))
    const before = await sessions(id)

    await ask(id, from(other))

    expect(await sessions(id)).toBe(before + (same ? 0 : 1))
  })

  test('3b.6 is not believed of whoever is no trusted proxy', async () => {
    const before = await sessions('address')

    const homes = new Set<unknown>()
    for (const client of ['192.0.2.31', '192.0.2.32', '192.0.2.33', '192.0.2.34']) {
      homes.add(await askDirectly('127.0.0.9', client))
    }

    expect(homes.size).toBe(1)
    expect(await sessions('address')).toBe(before + 1)
  })

  test('3b.6 gives way to the cookie', async () => {
    const { app } = await setting('address', 'JSESSIONID=roams', from('192.0.2.40'))

    expect(await appsOf('address', from('192.0.2.41', { cookie: 'JSESSIONID=roams' }))).toEqual([app])
  })

  async function askDirectly(localAddress: string, claimed: string): Promise<unknown> {
    const headers = { Host: 'address.example.com', 'X-Forwarded-For': claimed }
    const { port } = pair.nodes[0]
    const call = request({ host: '127.0.0.1', port, localAddress, headers, agent: false }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    return response.headers['x-app']
  }
})

describe('one value in two pools', () => {
  test('3b.7 is two keys', async () => {
    await setting('plain', 'JSESSIONID=twice')

    expect(await appsOf('other', { cookie: 'JSESSIONID=twice' })).toHaveLength(3)
  })

  test('3b.7 is one where they share', async () => {
    const here = await setting('plain', 'JSESSIONID=shared')
    const there = await setting('sharing', 'JSESSIONID=shared-too')

    expect(await appsOf('sharing', { cookie: 'JSESSIONID=shared' })).toEqual([here.app])
    expect(await appsOf('plain', { cookie: 'JSESSIONID=shared-too' })).toEqual([there.app])
    expect(await sessions('sharing')).toBe(0)
  })
})

describe('what the beginning of a body names', () => {
  const polling = { target: '/socket.io/?EIO=4&transport=polling' }
  const opening = (sid: string, headers: object = {}): Ask => ({
    ...polling,
    answer: { headers: { 'Content-Type': 'text/plain; charset=UTF-8', ...headers }, body: `0{"sid":"${sid}","x":1}` },
  })

  test('is the key by the time its client knows it', async () => {
    for (const sid of ['one', 'two', 'three', 'four']) {
      const { app, body } = await ask('polling', opening(sid))

      expect(body).toContain(`"sid":"${sid}"`)
      expect(await appsOf('polling', { target: `${polling.target}&sid=${sid}` })).toEqual([app])
    }
  })

  test('is none when the body is compressed', async () => {
    const before = await sessions('polling')

    await ask('polling', opening('packed', { 'Content-Encoding': 'gzip' }))

    expect(await sessions('polling')).toBe(before)
  })
})

describe('a session whose backend is away', () => {
  test('is ended by the methods of endOn, for every node', async () => {
    const { app } = await ask('gone', { answer: { headers: { 'Mcp-Session-Id': 'B' } } })
    const known = { headers: { 'Mcp-Session-Id': 'B' } }
    expect(await appsOf('gone', known)).toEqual([app])

    await ask('gone', { method: 'DELETE', ...known })

    await eventually(
      () => sessions('gone'),
      (count) => count === 0,
    )
    expect(await appsOf('gone', known)).toHaveLength(3)
  })

  test('3b.8 moves to another, and its record is replaced; with whenGone: gone its client is told 404', async () => {
    const cookie = 'JSESSIONID=orphan'
    const { app: home } = await setting('doomed', cookie)
    const mcp = await begunOn(home)

    await doomed.find(({ id }) => id === home)![Symbol.asyncDispose]()

    const { app: next, status } = await ask('doomed', { cookie })
    expect([status, next]).toEqual([200, expect.stringMatching(`[^${home}]`)])
    expect(await appsOf('doomed', { cookie })).toEqual([next])
    expect((await ask('gone', mcp)).status).toBe(404)
    expect((await ask('gone')).status).toBe(200)
  })

  /** Begins sessions until one lives there, and answers what its requests bring. */
  async function begunOn(home: string | undefined): Promise<{ headers: { 'Mcp-Session-Id': string } }> {
    for (let count = 0; ; count++) {
      const mcp = { headers: { 'Mcp-Session-Id': `mcp-${count}` } }
      if ((await ask('gone', { answer: mcp })).app === home) return mcp
    }
  }
})

describe('examples/aflex.yaml', () => {
  const shop = (asked: Ask): Promise<Reply> => pair.ask({ host: 'shop.example', ...asked })

  test('keeps a session by cookie, path or address, and across its two pools', async () => {
    const begun = await shop({ ...from('192.0.2.50'), answer: { headers: { 'Set-Cookie': 'JSESSIONID=E' } } })

    const later: Ask[] = [
      { cookie: 'JSESSIONID=E' },
      { target: '/cart;jsessionid=E?x=1', ...from('192.0.2.51') },
      from('192.0.2.50'),
      { target: '/checkout/pay', cookie: 'JSESSIONID=E', ...from('192.0.2.52') },
    ]
    for (const asked of [...later, ...later.toReversed()]) expect((await shop(asked)).app).toBe(begun.app)
  })
})

/** Sends these bytes to a node as they are; who answered each request in them. */
async function pipelined(bytes: string): Promise<string[]> {
  const socket = connect(pair.nodes[0].port, '127.0.0.1')
  socket.write(bytes)
  return Array.from((await text(socket)).matchAll(/^x-app: (.*)\r$/gim), ([, app]) => app!)
}

/** An application that sets its cookie and whose answers never end. */
async function streamingApp(): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader('Set-Cookie', 'JSESSIONID=streams')
    response.write('first')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

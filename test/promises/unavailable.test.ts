import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AppProcess } from '../support/app-process.ts'
import { ClosingApp } from '../support/closing-app.ts'
import { eventually } from '../support/eventually.ts'
import { type Ask, Pair, type Reply, seenBy } from '../support/pair.ts'

const script = fileURLToPath(new URL('../../examples/aflex/persist.ts', import.meta.url))

/** How the sessions of a strategy are recognised and asked for. */
interface Family {
  readonly affinity: object
  readonly ask?: Ask
  /** Is the request alone what names the home, so that nothing can bind the session elsewhere? */
  readonly named?: true
}

const families: Readonly<Record<string, Family>> = {
  'session-cookie': { affinity: { strategy: 'session-cookie' } },
  'persistence-key': { affinity: { strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }] } },
  'companion-cookie': { affinity: { strategy: 'companion-cookie' } },
  'instance-cookie': { affinity: { strategy: 'instance-cookie' } },
  'instance-path': {
    affinity: { strategy: 'instance-path', start: '/gas', whenAway: 'move' },
    ask: { target: '/GAS-a/x' },
    named: true,
  },
  'clone-id': { affinity: { strategy: 'clone-id' }, ask: { cookie: 'JSESSIONID=0001:a' }, named: true },
  script: { affinity: { strategy: 'script', script } },
}

const names = Object.keys(families)
const opened = new AsyncDisposableStack()
let home: AppProcess
let pair: Pair

/** What clients saw of the death and return of backend a. */
const seen = {
  /** Of each session, by `SETTING FAMILY`: the answers of both nodes, when the attempt failed, when that was known, and after the return. */
  failed: new Map<string, readonly Reply[]>(),
  down: new Map<string, readonly Reply[]>(),
  back: new Map<string, readonly Reply[]>(),
  crowd: [] as readonly Reply[],
  crowdAgain: [] as readonly Reply[],
  impatient: undefined as Reply | undefined,
  thrifty: [] as readonly Reply[],
  /** How often requests were sent again, and were not for want of budget: of that pool, and of the crowd's. */
  retried: [] as readonly number[],
  crowdRetried: [] as readonly number[],
  firstOnly: undefined as Reply | undefined,
}

beforeAll(async () => {
  const apps = await Promise.all(['a', 'b', 'c'].map(async (id) => opened.use(await AppProcess.start(id))))
  home = apps[0]!
  const closing = opened.use(await ClosingApp.start())
  pair = opened.use(await Pair.start(configuration(apps, closing)))
  const immediate = await beginAll('rebind', 'temporary', 'fail', 'brief')
  const patient = await beginAll('wait')
  const [impatient, ...crowd] = await Promise.all(
    Array.from({ length: 301 }, (_, at) => begin(at === 0 ? 'impatient' : 'crowd')),
  )
  const firstOnly = await begin('first-only')

  await home.kill()
  seen.crowd = await Promise.all(crowd.map((client) => client.ask()))
  seen.crowdRetried = await retriesOf('crowd')
  seen.crowdAgain = await inTens(crowd, (client) => client.ask())
  for (const [name, client] of immediate) seen.failed.set(name, [await client.ask(0), await client.ask(1)])
  for (const [name, client] of immediate) seen.down.set(name, [await client.ask(0), await client.ask(1)])
  const waiting = patient.map(async ([name, client]) => {
    seen.failed.set(name, await Promise.all([client.ask(0), client.ask(1)]))
  })
  seen.impatient = await impatient!.ask()
  seen.thrifty = await Promise.all(Array.from({ length: 20 }, () => pair.ask({ host: 'thrifty.example', node: 0 })))
  seen.retried = await retriesOf('thrifty')
  seen.firstOnly = await firstOnly.ask()
  await eventually(waitingNow, (count) => count === 2 * names.length)

  await home.begin()
  await Promise.all(waiting)
  for (const [name, client] of [...immediate, ...patient]) {
    if (!/^(rebind|brief)/.test(name)) await eventually(() => client.ask(0), isHome)
    if (!/^(rebind|brief)/.test(name)) await eventually(() => client.ask(1), isHome)
    seen.back.set(name, [await client.ask(0), await client.ask(1)])
  }
}, 60_000)

afterAll(() => opened.disposeAsync())

describe.each(names)('%s', (family) => {
  const { named } = families[family]!

  test('rebind: another backend serves at once, and is the home from then on', () => {
    const failed = appsIn(seen.failed, `rebind ${family}`)

    expect(failed).toEqual([expect.stringMatching(/^[bc]$/), expect.stringMatching(/^[bc]$/)])
    if (named) return
    // A node that has not heard of the move yet may try the dead home, and serve elsewhere once.
    const [, , moved, ...after] = [seen.failed, seen.down, seen.back].flatMap((each) =>
      appsIn(each, `rebind ${family}`),
    )
    expect(after).toEqual([moved, moved, moved])
  })

  test('temporary: another backend serves, no cookie says so, and the session returns', () => {
    const elsewhere = [...seen.failed.get(`temporary ${family}`)!, ...seen.down.get(`temporary ${family}`)!]

    expect(elsewhere.map(({ app }) => app)).toEqual(elsewhere.map(() => expect.stringMatching(/^[bc]$/)))
    // Our own cookie may be renewed meanwhile; it goes on naming the home.
    expect(elsewhere.flatMap(({ cookies }) => cookies).filter((field) => !field.startsWith('sticky='))).toEqual([])
    expect(appsIn(seen.back, `temporary ${family}`)).toEqual(['a', 'a'])
  })

  test('temporary: 1ms is over after that, and then the session moves', () => {
    const down = appsIn(seen.down, `brief ${family}`)

    expect(down).toEqual([expect.stringMatching(/^[bc]$/), expect.stringMatching(/^[bc]$/)])
    if (named) return
    const [moved, again] = appsIn(seen.back, `brief ${family}`)
    expect(moved).toMatch(/^[bc]$/)
    expect(again).toBe(moved)
  })

  test('wait: the request is answered by its home once that is back', () => {
    expect(appsIn(seen.failed, `wait ${family}`)).toEqual(['a', 'a'])
  })

  test('fail: nobody else serves, and the client is told when to come again', () => {
    const refused = [...seen.failed.get(`fail ${family}`)!, ...seen.down.get(`fail ${family}`)!]

    expect(refused.map(outcome)).toEqual(refused.map(() => '503 2 the backend of this session is away'))
    expect(appsIn(seen.back, `fail ${family}`)).toEqual(['a', 'a'])
  })

  test('the backend that serves instead is told whose session it is, and why', () => {
    const moved = [...seen.failed.get(`temporary ${family}`)!, ...seen.down.get(`temporary ${family}`)!]

    expect(moved.map(movedField)).toEqual([
      ...['from=a; reason=failed', 'from=a; reason=failed'],
      ...['from=a; reason=down', 'from=a; reason=down'],
    ])
    expect(seen.back.get(`temporary ${family}`)!.map(movedField)).toEqual([undefined, undefined])
  })
})

test('some session that keeps its home has one and the same stand-in, on both nodes', () => {
  for (const family of ['session-cookie', 'persistence-key', 'script']) {
    const all = [...appsIn(seen.failed, `temporary ${family}`), ...appsIn(seen.down, `temporary ${family}`)]
    expect(new Set(all).size, family).toBe(1)
  }
})

test('who has waited too long is refused', () => {
  expect(outcome(seen.impatient!)).toBe('503 2 the backend of this session is away')
})

test('of 300 sessions that come at once after their home was killed none fails, whatever the budget of retries', () => {
  expect(seen.crowd.filter(({ status }) => status !== 200)).toEqual([])
  const [again, denied] = seen.crowdRetried
  // Each node ejects after a hundred.
  expect(again).toBeGreaterThanOrEqual(200)
  expect(denied).toBe(0)
})

test('300 sessions of a dead backend spread over the others and stay there, each told in the same answer', () => {
  const { b, c } = Object.groupBy(seen.crowd, ({ app }) => app as 'b' | 'c')

  expect((b?.length ?? 0) + (c?.length ?? 0)).toBe(300)
  expect(Math.min(b?.length ?? 0, c?.length ?? 0)).toBeGreaterThan(120)
  expect(seen.crowd.filter(({ cookies }) => cookies.length !== 1)).toEqual([])
  expect(seen.crowdAgain.map(({ app }) => app)).toEqual(seen.crowd.map(({ app }) => app))
})

test('of the requests of 10 s so many are sent again as the budget has, and the others are told of the failure', () => {
  const statuses = seen.thrifty.map(({ status }) => status).sort()

  expect(statuses).toEqual([...Array(10).fill(200), ...Array(10).fill(502)])
  expect(seen.retried).toEqual([10, 10])
})

test('with no attempts no other backend is tried', () => {
  expect(outcome(seen.firstOnly!)).toBe('502 undefined backend could not be reached')
})

function configuration(apps: readonly AppProcess[], closing: ClosingApp): object {
  const backends = apps.map(({ id, url }) => ({ id, url, prefix: `/GAS-${id}` }))
  const usual = { backends, movedHeader: 'X-Sticky-Moved', ejection: { failures: 1, for: '1500ms', longest: '1500ms' } }
  const settings = {
    rebind: { onUnavailable: 'rebind' },
    temporary: { onUnavailable: 'temporary' },
    brief: { onUnavailable: { temporary: '1ms' } },
    wait: { onUnavailable: 'wait', queue: { timeout: '20s' } },
    fail: { onUnavailable: 'fail' },
  }
  const pools = Object.entries(settings).flatMap(([setting, parts]) =>
    names.map((family) => [`${setting}-${family}`, { ...usual, ...parts, affinity: [families[family]!.affinity] }]),
  )
  const others = {
    crowd: { ...usual, ejection: { failures: 100 }, retry: { budget: '0%', minPerSecond: 0 } },
    thrifty: {
      backends: [
        { id: 'a', url: `http://127.0.0.1:${closing.port}` },
        { ...backends[1], backup: true },
      ],
      affinity: [],
      retry: { budget: '0%', minPerSecond: 1 },
    },
    'first-only': { ...usual, retry: { attempts: 0 } },
    impatient: { ...usual, onUnavailable: 'wait', queue: { timeout: '200ms' } },
  }
  const all = { ...Object.fromEntries(pools), ...others }
  const routes = Object.keys(all).flatMap((pool) => [
    { host: `${pool}.example`, pool },
    // Newcomers that come this way begin on a.
    { host: `begin.${pool}.example`, pool, backends: ['a'] },
  ])
  return { pools: all, routes }
}

/** One session of each family, in the pools of those settings. */
async function beginAll(...settings: string[]): Promise<[string, Client][]> {
  const each = settings.flatMap((setting) => names.map((family) => ({ setting, family })))
  return Promise.all(
    each.map(async ({ setting, family }) => [
      `${setting} ${family}`,
      await begin(`${setting}-${family}`, families[family]!.ask),
    ]),
  )
}

/** A session that lives on a. */
async function begin(pool: string, ask: Ask = {}): Promise<Client> {
  const client = new Client(pool, ask)
  await client.begin()
  return client
}

let count = 0

/** A client with a cookie jar, whose requests pretend to have come from elsewhere. */
class Client {
  readonly #host: string
  readonly #ask: Ask
  readonly #cookies = new Map<string, string>()

  constructor(pool: string, ask: Ask) {
    this.#host = `${pool}.example`
    this.#ask = ask
    for (const pair of ask.cookie?.split('; ') ?? []) this.#keep(pair)
  }

  async begin(): Promise<void> {
    const answer = { headers: { 'set-cookie': `JSESSIONID=${++count}` } }
    const reply = await this.#send({ host: `begin.${this.#host}`, ...(this.#ask.cookie === undefined && { answer }) })
    expect(reply.app, this.#host).toBe('a')
  }

  ask(node?: 0 | 1): Promise<Reply> {
    return this.#send(node === undefined ? {} : { node })
  }

  async #send(ask: Ask): Promise<Reply> {
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const jar = cookie === '' ? {} : { cookie }
    const headers = { 'X-Sticky-Moved': 'from=me', x_sticky_moved: 'from=me' }
    const reply = await pair.ask({ host: this.#host, headers, ...this.#ask, ...jar, ...ask })
    for (const field of reply.cookies) this.#keep(field)
    return reply
  }

  #keep(field: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(field)!
    this.#cookies.set(name!, value!)
  }
}

async function inTens<Item, Result>(items: readonly Item[], each: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += 10) results.push(...(await Promise.all(items.slice(at, at + 10).map(each))))
  return results
}

function appsIn(replies: ReadonlyMap<string, readonly Reply[]>, name: string): (string | undefined)[] {
  return replies.get(name)!.map(({ app }) => app)
}

function outcome({ status, headers, body }: Reply): string {
  return `${status} ${headers['retry-after']} ${body.trim()}`
}

function movedField(reply: Reply): string | undefined {
  const { headers } = seenBy(reply)
  expect(headers.x_sticky_moved).toBeUndefined()
  return headers['x-sticky-moved'] as string | undefined
}

function isHome({ app }: Reply): boolean {
  return app === 'a'
}

/** How many requests wait, on both nodes, as their metrics tell. */
async function waitingNow(): Promise<number> {
  return sumOf(/^sticky_queue_length\{.*\} (\d+)$/gm)
}

async function retriesOf(pool: string): Promise<number[]> {
  return Promise.all(['retries', 'retry_budget_exhausted'].map((name) => metricOf(name, pool)))
}

async function metricOf(name: string, pool: string): Promise<number> {
  return sumOf(new RegExp(`^sticky_${name}_total\\{pool="${pool}"\\} (\\d+)$`, 'gm'))
}

async function sumOf(sample: RegExp): Promise<number> {
  const pages = await Promise.all(pair.nodes.map(async ({ admin }) => (await fetch(new URL('/metrics', admin))).text()))
  return pages.flatMap((page) => [...page.matchAll(sample)]).reduce((sum, [, value]) => sum + Number(value), 0)
}

import { CannedApp } from '../support/canned-app.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { Visit } from './client.ts'
import { expectQuiet } from './counts.ts'
import type { Load } from './load.ts'
import { rawExchange } from './raw-exchange.ts'
import type { Row } from './row.ts'
import { newcomersByBackend, Stage, sessionOn } from './stage.ts'
import { expectUsualTimes, inWords, spread } from './times.ts'
import type { Trial } from './trial.ts'

const RESPONSE_TIMEOUT = 2_000
/** Milliseconds until a backend that was put out is tried again, whatever befell it. */
const TRIED_AGAIN = 15_000

/** A session of the backend that fails, or a newcomer who was sent there. */
const onB = ({ home }: Visit): boolean => home === 'b' || home === undefined
/** A session of another one. */
const onOthers = ({ home }: Visit): boolean => home === 'a' || home === 'c'

/** Backends that die, hang, crawl or talk nonsense. */
export const backendRows: readonly Row[] = [
  {
    number: 12,
    name: 'kill -9 of a backend',
    does: 'one of three',
    passes:
      'at most what was in flight on it fails; its sessions go to the others with their new cookie on the same answer, the others stay; nobody is left with it after 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => stage.application('b').kill())
      const homes = () => load.clients.map(({ home }) => home)
      await trial.recovers('nobody is left with it', homes, (all) => !all.includes('b'), 1_000)
      await trial.stands()
      await trial.calm()
      trial.expectServed((visit) => onB(visit) && trial.wasCut(visit))
      trial.expectAtHome(({ home }) => home === 'b')
      const shares = ['a', 'c'].map((id) => homes().filter((home) => home === id).length)
      trial.expect('its sessions spread over the others', Math.min(...shares) >= 10, shares)
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 13,
    name: 'Backend hangs',
    does: 'one of three accepts and is silent; its response time-out is 2 s, which ejects it',
    passes:
      'who waits there is told 504 after 2 s, and no request is sent twice; of the others p99 is at most twice the usual; it serves again once it answers',
    async run(trial) {
      const way = trial.stack.use(await wayToB())
      const pools = { timeouts: { response: `${RESPONSE_TIMEOUT}ms`, ejects: true } }
      const stage = trial.stack.use(await behind(way, { pools }))
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => way.proxy.blackhole())
      await trial.stands()
      await trial.heal(() => way.proxy.flow())
      await trial.recovers('it serves newcomers again', newcomersOnB(load), (count) => count > 0, TRIED_AGAIN)
      await trial.calm()
      trial.expectServed((visit) => onB(visit) && visit.status === 504)
      trial.expectAtHome(({ home }) => home === 'b')
      const twice = load.moved.filter(({ began, ended }) => ended - began >= RESPONSE_TIMEOUT).length
      trial.expectInTime('nobody waited and was then sent elsewhere', twice === 0, twice)
      const waits = load.faults.map(({ began, ended }) => Math.round(ended - began))
      const isInTime = waits.every((wait) => Math.abs(wait - RESPONSE_TIMEOUT) <= RESPONSE_TIMEOUT / 10)
      trial.expectInTime('504 comes at the time-out, give or take a tenth', isInTime, waits)
      const [before, during] = [trial.before(), trial.during()].map((visits) =>
        inWords(spread(visits.filter(onOthers))),
      )
      trial.note(`sessions of the others: ${before} before, ${during} during`)
      expectUsualTimes(trial, onOthers)
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 14,
    name: 'Backend slow',
    does: 'one of three answers after 5 s',
    passes: 'no error, nobody moved; less than a tenth of the newcomers go there until it is fast again',
    async run(trial) {
      const way = trial.stack.use(await wayToB())
      const stage = trial.stack.use(await behind(way))
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => way.proxy.slow(2_500))
      await trial.stands()
      const shares = await newcomersByBackend(stage, 60)
      const share = (shares.b ?? 0) / 60
      trial.note(`newcomers ${JSON.stringify(shares)}`)
      trial.expect('less than a tenth of the newcomers go there', share < 0.1, shares)
      await trial.heal(() => way.proxy.slow(0))
      await trial.recovers('it gets newcomers again', newcomersOnB(load), (count) => count > 0, TRIED_AGAIN)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 15,
    name: 'Reset in the middle of a body',
    does: 'one of three has its connections reset after 1000 bytes, with a length and with chunks',
    passes: 'the client sees that the answer is not whole; it is not asked for again; the counts are right',
    async run(trial) {
      const way = trial.stack.use(await wayToB())
      const stage = trial.stack.use(await behind(way))
      const cookie = await sessionOn(stage.targetOf(stage.nodes[0]!), 'b')
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => way.proxy.cutAfter(1_000))
      await expectCut(trial, stage, cookie)
      const asked = await Promise.all(stage.applications.map((application) => application.bodies()))
      trial.expect('each was asked for once', asked.join() === '0,2,0', asked)
      await trial.stands()
      await trial.heal(() => way.proxy.flow())
      await trial.calm()
      trial.expectServed((visit) => onB(visit) && !isFakedEnd(visit))
      trial.expectAtHome(({ home }) => home === 'b')
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 16,
    name: 'Invalid answers',
    does: 'a head of 1 MB, no status line, two lengths, a body that is too short, bytes after the body',
    passes:
      '502, or the connection is cut; never two answers; the next request is served, over a fresh connection, and the backend is not ejected',
    async run(trial) {
      const canned = trial.stack.use(await CannedApp.start(answers, (path) => path === '/short'))
      const affinity = { pool: { backends: [{ id: 'x', url: canned.url }], affinity: [] } }
      const stage = trial.stack.use(await Stage.open(affinity))
      await trial.fault(() => undefined)
      for (let round = 0; round < (trial.isLong ? 50 : 5); round++) {
        for (const path of Object.keys(answers)) await expectRefused(trial, stage, path)
      }
      const reused = canned.connections.filter((asked) => asked.slice(0, -1).some((path) => path !== '/fine'))
      trial.expect('no connection is used after an invalid answer', reused.length === 0, reused)
      await expectQuiet(trial, stage.nodes)
    },
  },
]

const long = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1 << 20)}\r\nContent-Length: 2\r\n\r\nok`
const answers: Readonly<Record<string, string>> = {
  '/fine': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine',
  '/long': long,
  '/status': 'HTTQ/1.1 two hundred\r\n\r\n',
  '/lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc',
  '/short': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
  '/more': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfineHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged',
}
/** What a client is told; a status it must not be told after that head, or a body that is cut. */
const told: Readonly<Record<string, RegExp>> = {
  '/fine': /^HTTP\/1\.1 200 [\s\S]*fine$/,
  '/long': /^HTTP\/1\.1 502 /,
  '/status': /^HTTP\/1\.1 502 /,
  '/lengths': /^HTTP\/1\.1 502 /,
  '/short': /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nabc$/,
  '/more': /^HTTP\/1\.1 200 (?:(?!HTTP)[\s\S])*fine$/,
}

async function expectRefused(trial: Trial, { nodes }: Stage, path: string): Promise<void> {
  for (const target of [path, '/fine']) {
    const request = `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`
    const received = await rawExchange(nodes[0]!.port, request)
    trial.asked(1)
    trial.expect(`${target} after ${path}`, told[target]!.test(received), received.slice(0, 200))
  }
}

async function expectCut(trial: Trial, { nodes }: Stage, cookie: string): Promise<void> {
  for (const query of ['bytes=5000', 'bytes=5000&chunked']) {
    const head = `GET /body?${query} HTTP/1.1\r\nHost: shop.example\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
    const received = await rawExchange(nodes[0]!.port, head)
    const body = received.slice(received.indexOf('\r\n\r\n') + 4)
    const isCut = received.startsWith('HTTP/1.1 200 ') && body.length < 5_000 && !body.endsWith('0\r\n\r\n')
    trial.expect(`the answer to ${query} is cut, not ended`, isCut, received.slice(0, 200))
  }
}

/** A client that takes a part of an answer for the whole cannot parse it. */
const isFakedEnd = ({ fault }: Visit): boolean => /JSON/.test(fault ?? '')

/** A way to backend b that fails on command; it leads to the port that is set later. */
async function wayToB(): Promise<{ proxy: FaultProxy; lead(port: number): void } & AsyncDisposable> {
  const target = { port: 0 }
  const proxy = await FaultProxy.to(target)
  return {
    proxy,
    lead: (port) => {
      target.port = port
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}

/** A stage whose backend b is reached by that way alone. */
async function behind({ proxy, lead }: Awaited<ReturnType<typeof wayToB>>, options: object = {}): Promise<Stage> {
  const backends = { b: { url: `http://127.0.0.1:${proxy.port}` } }
  const stage = await Stage.open({ ...options, backends: () => backends })
  lead(stage.application('b').port)
  return stage
}

/** Counts the newcomers whom b has served from now on. */
function newcomersOnB({ visits }: Load): () => number {
  const since = performance.now()
  return () => visits.filter(({ began, home, app }) => began > since && home === undefined && app === 'b').length
}

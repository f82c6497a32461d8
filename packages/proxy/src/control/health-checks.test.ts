import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import type { HealthCheckConfig, PoolConfig } from '../config/config.ts'
import { backendConfig, poolConfig } from '../config/parts.test-support.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import { HealthChecks } from './health-checks.ts'
import type { Log } from './log.ts'
import { Verdicts } from './verdicts.ts'

const check: HealthCheckConfig = {
  type: 'http',
  path: '/healthz',
  method: 'GET',
  host: undefined,
  status: [{ from: 200, to: 299 }],
  body: undefined,
  interval: 10,
  timeout: 1_000,
  rise: 1,
  fall: 1,
  jitter: 0,
  initially: 'up',
}

/** An application that answers so, and notes the paths it is asked for. */
async function application(status: number): Promise<{ url: string; port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`)
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, asked }
}

/** Health checks in plain sight. */
class Watched {
  readonly lines: string[] = []
  readonly #log: Log = {
    info: (fields, event) => this.lines.push(`${event} ${JSON.stringify(fields)}`),
    warn: (fields, event) => this.lines.push(`${event} ${JSON.stringify(fields)}`),
    error: () => {},
  }
  #changed: (all: readonly NamedStanding[]) => void = () => {}
  readonly verdicts = new Verdicts((all) => this.#changed(all))
  readonly checks = new HealthChecks({ verdicts: this.verdicts, log: this.#log, pems: () => undefined })

  constructor() {
    onTestFinished(() => this.checks[Symbol.dispose]())
  }

  /** Resolves when backend a of the pool is up, or down. */
  async untilUp(up: boolean): Promise<void> {
    while (this.verdicts.of('shop', 'a').up !== up) {
      await new Promise<void>((resolve) => {
        this.#changed = () => resolve()
      })
    }
  }

  check(url: string, parts: Partial<PoolConfig> = {}): void {
    this.checks.update([poolConfig('shop', [backendConfig('a', { url })], { healthCheck: check, ...parts })])
  }
}

test('says that a backend is down, with the reason, and that it is up again', async () => {
  const { url } = await application(500)
  const watched = new Watched()

  watched.check(url)
  await watched.untilUp(false)

  expect(watched.checks.of('shop', 'a')).toEqual({ well: false, trouble: '1 of 1 failed: status 500' })
  expect(watched.lines).toEqual(['backend down {"pool":"shop","backend":"a","reason":"1 of 1 failed: status 500"}'])
})

test('knows nothing of a backend whose URL is another one now, and asks there', async () => {
  const [ill, well] = await Promise.all([application(500), application(200)])
  const watched = new Watched()
  watched.check(ill.url)
  await watched.untilUp(false)

  watched.check(well.url)

  expect(watched.verdicts.of('shop', 'a').up).toBe(true)
  expect(watched.checks.of('shop', 'a')?.well).toBeUndefined()
  await expect.poll(() => watched.checks.of('shop', 'a')?.well).toBe(true)
})

test('keeps what it knows where nothing has changed', async () => {
  const { url } = await application(500)
  const watched = new Watched()
  watched.check(url)
  await watched.untilUp(false)

  watched.check(url, { replayBody: 17 })

  expect(watched.checks.of('shop', 'a')?.well).toBe(false)
  expect(watched.verdicts.of('shop', 'a').up).toBe(false)
})

test('says nothing more of a backend that nobody is to ask any more', async () => {
  const { url } = await application(500)
  const watched = new Watched()
  watched.check(url)
  await watched.untilUp(false)

  watched.check(url, { healthCheck: undefined })

  expect(watched.verdicts.of('shop', 'a').up).toBe(true)
  expect(watched.checks.of('shop', 'a')).toBeUndefined()
})

test('says nothing more of a backend that is gone', async () => {
  const { url } = await application(500)
  const watched = new Watched()
  watched.check(url)
  await watched.untilUp(false)

  watched.checks.update([])

  expect(watched.verdicts.all).toEqual([])
})

test('with initially: down a backend is down until it was found well', async () => {
  const { url } = await application(204)
  const watched = new Watched()

  watched.check(url, { healthCheck: { ...check, initially: 'down' } })

  expect(watched.verdicts.of('shop', 'a').up).toBe(false)
  await watched.untilUp(true)
  expect(watched.lines).toEqual(['backend up {"pool":"shop","backend":"a"}'])
})

test('a backend that is to be new is down before anybody serves it, and is not where it comes without a check', async () => {
  const watched = new Watched()
  const [backend, down] = [backendConfig('a'), { ...check, initially: 'down' as const }]

  watched.checks.expect([poolConfig('shop', [backend], { healthCheck: down })])
  expect(watched.verdicts.of('shop', 'a').up).toBe(false)
  watched.checks.update([poolConfig('shop', [backend])])

  expect(watched.verdicts.of('shop', 'a').up).toBe(true)
})

test('one that serves already is not down until another check, or its first one, has ended', async () => {
  const { url } = await application(204)
  const watched = new Watched()
  const slow = { ...check, initially: 'down' as const, interval: 60_000 }
  const pool = (healthCheck?: HealthCheckConfig) => [poolConfig('shop', [backendConfig('a', { url })], { healthCheck })]
  const up: boolean[] = []
  const note = () => up.push(watched.verdicts.of('shop', 'a').up)

  watched.checks.update(pool())
  watched.checks.expect(pool(slow))
  note()
  watched.checks.update(pool(slow))
  note()
  watched.checks.update(pool({ ...slow, rise: 3 }))
  note()

  expect(up).toEqual([true, true, true])
})

test('one that serves and does not stand another check is down after as many bad ones as any', async () => {
  const { url, asked } = await application(500)
  const watched = new Watched()
  watched.check(url, { healthCheck: undefined })

  watched.check(url, { healthCheck: { ...check, initially: 'down', fall: 3 } })
  await watched.untilUp(false)

  expect(asked).toHaveLength(3)
})

test('one that is at another address now is new', async () => {
  const { url } = await application(204)
  const watched = new Watched()
  const down = { ...check, initially: 'down' as const, interval: 60_000 }
  watched.check('http://127.0.0.1:9', { healthCheck: undefined })

  watched.check(url, { healthCheck: down })

  expect(watched.verdicts.of('shop', 'a').up).toBe(false)
})

test('asks one backend elsewhere, by the Host of its URL', async () => {
  const { port, asked } = await application(200)
  const watched = new Watched()
  const backend = backendConfig('a', { url: 'http://127.0.0.1:9', healthCheck: { path: '/a', port } })

  watched.checks.update([poolConfig('shop', [backend], { healthCheck: check })])

  await expect.poll(() => asked[0]).toBe('127.0.0.1:9/a')
})

test('asks nothing of a backend in maintenance, and asks a draining one', async () => {
  const { url, asked } = await application(500)
  const watched = new Watched()
  watched.verdicts.say('shop', 'a', { state: 'drain' })
  watched.check(url)
  await watched.untilUp(false)

  watched.verdicts.say('shop', 'a', { state: 'maint' })
  await watched.untilUp(true)
  const before = asked.length
  await new Promise((resolve) => setTimeout(resolve, 50))

  expect(asked.length - before).toBeLessThanOrEqual(1)
})

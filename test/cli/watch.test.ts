import { createInterface } from 'node:readline'

import { apiVersion, type SessionResource } from '@sticky/proxy/admin-api'
import { expect, test } from 'vitest'

import { adminServer, idOf, session } from './admin-fixture.ts'
import { startCli } from './sticky-cli.ts'

test('watch tells what begins, moves and ends, and Ctrl-C ends it with 130', async () => {
  const living = new Map([[idOf(1), 'a']])
  await using server = await adminServer(tableOf(living))
  using watch = startCli(['sessions', 'watch', '--json', '--interval', '10ms', '--admin', `http://${server.address}`])
  const messages = lines(watch.stderr)
  const events = lines(watch.stdout)
  expect((await messages.next()).value).toBe('sticky-cli: watching 1 sessions; Ctrl-C ends')

  living.set(idOf(2), 'b')
  const begun = JSON.parse((await events.next()).value)
  living.set(idOf(1), 'b')
  const moved = JSON.parse((await events.next()).value)
  living.delete(idOf(2))
  const ended = JSON.parse((await events.next()).value)
  watch.kill('SIGINT')

  expect(begun).toMatchObject({ apiVersion, event: 'begun', id: idOf(2), pool: 'shop', backend: 'b' })
  expect(moved).toMatchObject({ event: 'moved', id: idOf(1), backend: 'b', from: 'a' })
  expect(ended).toMatchObject({ event: 'ended', id: idOf(2), backend: 'b' })
  expect(await new Promise((closed) => watch.once('exit', closed))).toBe(130)
  expect((await messages.next()).done).toBe(true)
})

test('with very many sessions watch tells counts', async () => {
  const living = new Map([[idOf(1), 'a']])
  await using server = await adminServer(tableOf(living))
  const words = ['sessions', 'watch', '--max', '2', '--interval', '10ms', '--admin', `http://${server.address}`]
  using watch = startCli(words)
  const messages = lines(watch.stderr)
  const rows = lines(watch.stdout)
  await messages.next()

  living.set(idOf(2), 'a').set(idOf(3), 'b')
  expect((await messages.next()).value).toContain('more than 2, so only counts are shown')
  living.set(idOf(4), 'b')

  expect((await rows.next()).value).toMatch(/^TIME +EVENT +POOL +BACKEND +WHAT$/)
  expect((await rows.next()).value).toMatch(/Z +counted +shop +b +2 sessions \(\+1\)$/)
  watch.kill('SIGINT')
})

test('watch goes on when the node is back', async () => {
  const living = new Map([[idOf(1), 'a']])
  const first = await adminServer(tableOf(living))
  const [host, port] = first.address.split(':') as [string, string]
  const words = ['sessions', 'watch', '--interval', '10ms', '--admin', `http://${first.address}`]
  using watch = startCli(words)
  const messages = lines(watch.stderr)
  await messages.next()

  await first[Symbol.asyncDispose]()
  expect((await messages.next()).value).toMatch(/; looking again until it is back$/)
  await using _second = await adminServer(tableOf(living), { address: { host, port: Number(port) } })

  expect((await messages.next()).value).toBe('sticky-cli: the admin API is back')
  watch.kill('SIGINT')
})

test('a watch that cannot begin ends as any command', async () => {
  using watch = startCli(['sessions', 'watch', '--admin', 'unix:/nowhere/admin.sock'])

  expect(await new Promise((closed) => watch.once('exit', closed))).toBe(4)
})

function tableOf(living: ReadonlyMap<string, string>) {
  return {
    async *sessions(): AsyncGenerator<SessionResource> {
      for (const [id, backend] of living) yield session(id, backend)
    },
    async countSessions() {
      const counts = Map.groupBy(living.values(), (backend) => backend)
      const backends = Array.from(counts, ([backend, { length }]) => ({ backend, sessions: length }))
      return { apiVersion, total: living.size, pools: [{ pool: 'shop', total: living.size, backends }] } as const
    },
  }
}

function lines(stream: NodeJS.ReadableStream): AsyncIterator<string> {
  return createInterface(stream)[Symbol.asyncIterator]()
}

import { expect, test } from 'vitest'

import { RawClient, scriptedBackend, testTraffic } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

test('who waits to be accepted when listeners close is answered, however many they are, and who comes later is refused', async () => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })
  const clients = Array.from({ length: 40 }, () => new RawClient(proxy.port))
  for (const client of clients) client.send(GET)

  const drained = proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 5_000, shared: false })
  const answers = await Promise.all(clients.map((client) => client.toEnd()))
  await drained

  expect(answers.map((answer) => answer.slice(-5))).toEqual(Array(40).fill('hello'))
  await using late = new RawClient(proxy.port)
  await late.toEnd()
  expect(late.reset).toBe(true)
})

test('listeners close though new connections never end', async () => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })
  let flood = true
  const knock = async (): Promise<void> => {
    while (flood) await new RawClient(proxy.port).toEnd()
  }
  const knocking = Promise.all(Array.from({ length: 40 }, knock))

  await proxy.traffic.drain({ accepting: 100, grace: 100, longest: 5_000, shared: false })
  await using late = new RawClient(proxy.port)
  await late.toEnd()
  flood = false
  await knocking

  expect(late.reset).toBe(true)
})

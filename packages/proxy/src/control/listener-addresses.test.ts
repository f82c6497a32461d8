import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { expect, test } from 'vitest'

import type { ListenConfig } from '../config/config.ts'
import { ListenerAddresses } from './listener-addresses.ts'

const on = (port: number, host = '127.0.0.1'): ListenConfig => ({
  address: { host, port },
  proxyProtocolFrom: undefined,
  tls: [],
})
const portsOf = (listeners: readonly ListenConfig[]): number[] => listeners.map(({ address }) => address.port)

test('workers that start first are told what is configured', () => {
  const addresses = new ListenerAddresses([on(0), on(8080)])

  expect(portsOf(addresses.of([on(0), on(8080)]))).toEqual([0, 8080])
})

test('a listener that stays is told as it was, wherever it stands now', async () => {
  const addresses = new ListenerAddresses([on(0), on(0, '::1')])

  const { listen } = await addresses.next([on(0, '::1'), on(0)])

  expect(listen).toEqual([on(0, '::1'), on(0)])
})

test('one that comes with any port is given one, which later workers are told too', async () => {
  const addresses = new ListenerAddresses([on(0)])
  const config = [on(0), on(0)]

  const next = await addresses.next(config)
  next.adopt()
  const again = await addresses.next(config)

  expect(portsOf(next.listen)).toEqual([0, expect.toSatisfy((port) => port > 0)])
  expect(again.listen).toEqual(next.listen)
  expect(addresses.of(config)).toEqual(next.listen)
})

test('what is not adopted leaves no trace', async () => {
  const addresses = new ListenerAddresses([on(0), on(8080)])

  await addresses.next([on(8080)])

  expect(portsOf(addresses.of([on(0), on(8080)]))).toEqual([0, 8080])
})

test('an address that is taken is refused', async () => {
  await using taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo

  await expect(new ListenerAddresses([]).next([on(port)])).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('when no worker is left those that start next are told what was bound', () => {
  const addresses = new ListenerAddresses([on(0), on(0, '::1')])

  addresses.pin(['127.0.0.1:4711', '[::1]:4712'])

  expect(portsOf(addresses.of([on(0), on(0, '::1')]))).toEqual([4711, 4712])
})

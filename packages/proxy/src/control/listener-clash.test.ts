import { expect, test } from 'vitest'

import type { Address, Config } from '../config/config.ts'
import { listenerClash } from './listener-clash.ts'

function config(listen: readonly Address[], admin?: Address): Pick<Config, 'listen' | 'admin'> {
  return {
    listen: listen.map((address) => ({ address, proxyProtocolFrom: undefined, tls: [] })),
    admin: admin && { address: admin, token: undefined },
  }
}

const at = (port: number, host = '127.0.0.1'): Address => ({ host, port })

test.each([
  ['every interface where it has one', [at(80)], [at(80, '')], 'listens on 127.0.0.1:80: take that out first'],
  ['one interface where it has every one', [at(80, '')], [at(80)], 'listens on :80: take that out first'],
  ['where its admin API was', [at(80)], [at(9901)], 'where its admin API is until it is started again'],
])('says why it cannot listen on %s', (_, before, after, told) => {
  expect(listenerClash(config(before, at(9901)), config(after, at(9902)))).toContain(told)
})

test.each([
  ['what stays', [at(80)], [at(80)]],
  ['another port', [at(80)], [at(81)]],
  ['the same port of another interface', [at(80)], [at(80), at(80, '127.0.0.2')]],
  ['any port', [at(0)], [at(0), at(0)]],
])('has nothing against %s', (_, before, after) => {
  expect(listenerClash(config(before), config(after))).toBeUndefined()
})

test('has nothing against an admin API behind a socket', () => {
  const running = { ...config([at(80)]), admin: { address: { socket: '/run/sticky.sock' }, token: undefined } }

  expect(listenerClash(running, config([at(9901)]))).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import { parsedRequest } from '../upstream/transport.test-support.ts'
import type { Origin } from '../wire/forwarding.ts'
import { addressRanges } from './address-ranges.ts'
import { clientOf, requestIdOf } from './client.ts'

const trusted = addressRanges(['10.0.0.0/8', '2001:db8::/32'])
const peer = { address: '10.0.0.1', secure: false }
const balancer: Origin = { address: '10.0.0.1', port: 80, scheme: 'http', trusted: true }
const stranger: Origin = { ...balancer, trusted: false }

const sending = (fields: string) => parsedRequest(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)

describe('who sent a request', () => {
  test.each([
    ['nobody else is named', '', '10.0.0.1'],
    ['one is named', 'X-Forwarded-For: 192.0.2.1\r\n', '192.0.2.1'],
    ['the client lies about others before it', 'X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n', '192.0.2.1'],
    ['more proxies of ours are named', 'X-Forwarded-For: 192.0.2.1, 10.1.1.1,10.2.2.2\r\n', '192.0.2.1'],
    ['only proxies of ours are named', 'X-Forwarded-For: 10.3.3.3, 10.1.1.1\r\n', '10.3.3.3'],
    ['the field is repeated', 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.1.1.1\r\n', '192.0.2.1'],
    ['it is IPv6', 'X-Forwarded-For: 2001:470::1, 2001:db8::9\r\n', '2001:470::1'],
    ['it is IPv4 over IPv6', 'X-Forwarded-For: ::ffff:192.0.2.1\r\n', '192.0.2.1'],
    ['it has a zone', 'X-Forwarded-For: fe80::1%eth0\r\n', 'fe80::1%eth0'],
    ['it has no address', 'X-Forwarded-For: unknown\r\n', 'unknown'],
    ['it is empty', 'X-Forwarded-For:\r\n', '10.0.0.1'],
    ['the last of it is empty', 'X-Forwarded-For: 192.0.2.1,\r\n', '192.0.2.1'],
  ])('is told by a trusted peer: %s', (_, fields, address) => {
    expect(clientOf(peer, balancer, sending(fields), trusted).address).toBe(address)
  })

  test('is the peer when nobody trusts it', () => {
    const request = sending('X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n')

    expect(clientOf(peer, stranger, request, trusted)).toBe(peer)
  })

  test.each([
    ['https', true],
    ['HTTPS', true],
    ['http', false],
  ])('and over %s is known from a trusted peer', (scheme, secure) => {
    const request = sending(`X-Forwarded-Proto: ${scheme}\r\n`)

    expect(clientOf(peer, balancer, request, trusted)).toEqual({ address: '10.0.0.1', secure })
  })
})

describe("a trusted peer's request id", () => {
  test.each([
    ['a token', 'its-own.id', 'its-own.id'],
    ['64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['65 characters', 'x'.repeat(65), undefined],
    ['a space', 'two words', undefined],
    ['a quote', 'a"b', undefined],
    ['nothing', '', undefined],
  ])('of %s', (_, sent, kept) => {
    expect(requestIdOf(balancer, sending(`X-Request-Id: ${sent}\r\n`))).toBe(kept)
  })

  test('is kept by nobody when sent twice, or by a stranger', () => {
    expect(requestIdOf(balancer, sending('X-Request-Id: a\r\nX-Request-Id: b\r\n'))).toBeUndefined()
    expect(requestIdOf(stranger, sending('X-Request-Id: a\r\n'))).toBeUndefined()
  })
})

import { expect, test } from 'vitest'

import { isLoopback, overlaps, parseAddress, parseAdminAddress } from './address.ts'
import type { Address } from './config.ts'
import { Flaw } from './flaw.ts'

test.each([
  ['127.0.0.1:8080', '127.0.0.1', 8080],
  ['[::1]:80', '::1', 80],
  ['localhost:0', 'localhost', 0],
  ['proxy-1.internal:65535', 'proxy-1.internal', 65_535],
  [':8080', '', 8080],
  ['*:8080', '', 8080],
])('%s is an address', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port })
})

test.each([
  '',
  '8080',
  '127.0.0.1',
  '::1:80',
  '[::1]',
  '[127.0.0.1]:80',
  '127.0.0.256:80',
  'a b:80',
  'a:65536',
  'a:80x',
])('%j is none', (text) => {
  expect(parseAddress(text)).toBeInstanceOf(Flaw)
})

test('the admin API may listen on a socket, named by its whole path', () => {
  expect(parseAdminAddress('unix:/run/sticky.sock')).toEqual({ socket: '/run/sticky.sock' })
  expect(parseAdminAddress('unix:///run/sticky.sock')).toEqual({ socket: '/run/sticky.sock' })
  expect(parseAdminAddress('127.0.0.1:9901')).toEqual({ host: '127.0.0.1', port: 9901 })
  expect(parseAdminAddress('unix:sticky.sock')).toBeInstanceOf(Flaw)
  expect(parseAdminAddress(`unix:/${'x'.repeat(107)}`)).toBeInstanceOf(Flaw)
})

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['', false],
  ['0.0.0.0', false],
  ['::', false],
  ['127.example.com', false],
])('is %j reached by this machine alone? %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})

test.each([
  [':80', '127.0.0.1:80', true],
  ['[::]:80', '0.0.0.0:80', true],
  ['127.0.0.1:80', '0.0.0.0:80', true],
  ['0.0.0.0:80', '[::1]:80', false],
  ['127.0.0.1:80', '127.0.0.2:80', false],
  [':80', ':81', false],
])('%s and %s overlap: %s', (a, b, expected) => {
  expect(overlaps(parseAddress(a) as Address, parseAddress(b) as Address)).toBe(expected)
})

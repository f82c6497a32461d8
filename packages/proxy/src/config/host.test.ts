import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parseDomain, parseHost } from './host.ts'

test.each([
  ['shop.example.com', 'shop.example.com'],
  ['SHOP.example.COM', 'shop.example.com'],
  ['shop.example.com.', 'shop.example.com'],
  ['*.example.com', '*.example.com'],
  ['localhost', 'localhost'],
  ['app_1', 'app_1'],
  ['10.0.0.1', '10.0.0.1'],
  ['[::1]', '[::1]'],
  ['shop.example.com:9080', 'shop.example.com:9080'],
  ['Shop.example.com:*', 'shop.example.com'],
  ['*.example.com:443', '*.example.com:443'],
  ['*', '*'],
  ['*:*', '*'],
  ['*:9080', '*:9080'],
  ['[::1]:9080', '[::1]:9080'],
  ['xn--caf-dma.example', 'xn--caf-dma.example'],
])('a route may ask for the host %s', (text, host) => {
  expect(parseHost(text)).toBe(host)
})

test.each([
  '',
  ':80',
  'a.com:',
  'a.com:0',
  'a.com:65536',
  'a.com:http',
  'a.*.com',
  '**.a.com',
  'a b',
  'a/b',
  '-a.com',
  'a..b',
  '10.0.0.256',
  '[::1',
  'http://a.com',
])('but not for %j', (text) => {
  expect(parseHost(text)).toBeInstanceOf(Flaw)
})

test('remedies are told', () => {
  expect(parseHost('::1')).toMatchObject({ instead: '"[::1]"' })
  expect(parseHost('café.example')).toMatchObject({ instead: 'xn--caf-dma.example' })
  expect(parseDomain('.example.com')).toMatchObject({ instead: 'example.com' })
})

test('a cookie may be for a domain, never for a top-level one', () => {
  expect(parseDomain('Example.com')).toBe('example.com')
  expect(parseDomain('com')).toBeInstanceOf(Flaw)
})

import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parseOrigin, parseStoreUrl } from './url.ts'

test.each([
  ['http://127.0.0.1:3001', 'http://127.0.0.1:3001'],
  ['http://127.0.0.1:3001/', 'http://127.0.0.1:3001'],
  ['HTTPS://App.Example', 'https://app.example'],
  ['http://[::1]:3001', 'http://[::1]:3001'],
])('%s names a backend', (text, origin) => {
  expect(parseOrigin(text)).toBe(origin)
})

test.each(['', '127.0.0.1:3001', 'ftp://a', 'http://', 'http://a:99999', 'http://u:p@a', 'http://a/?q', 'http://a/#f'])(
  '%j names none',
  (text) => {
    expect(parseOrigin(text)).toBeInstanceOf(Flaw)
  },
)

test('a backend with a path is told what to write instead', () => {
  expect(parseOrigin('http://a:3001/app')).toMatchObject({ instead: 'http://a:3001' })
})

test.each([
  'memory:',
  'redis://127.0.0.1:6379',
  'redis://user:pass@redis/2',
  'rediss://redis:6380',
  'redis://[::1]:6379',
  'redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster/2',
  'rediss+cluster://user:pass@10.0.0.1:6379,10.0.0.2:6379',
])('%s names a store', (text) => {
  expect(parseStoreUrl(text)).toBe(text)
})

test.each([
  '',
  'memory',
  'redis:',
  'redis://',
  'http://redis',
  '127.0.0.1:6379',
  'redis://redis/sessions',
  'redis+sentinel://h',
  'redis+cluster://h/1',
])('%j names none', (text) => {
  expect(parseStoreUrl(text)).toBeInstanceOf(Flaw)
})

import { expect, test } from 'vitest'

import { parseAdminAddress } from './admin-address.ts'

test.each([
  ['http://127.0.0.1:9901', 'http://127.0.0.1:9901', undefined],
  ['http://127.0.0.1:9901/', 'http://127.0.0.1:9901', undefined],
  ['http://[::1]:9901', 'http://[::1]:9901', undefined],
  ['https://admin.example.com', 'https://admin.example.com', undefined],
  ['unix:/run/sticky/admin.sock', 'http://localhost', '/run/sticky/admin.sock'],
])('%s is an admin address', (text, origin, socketPath) => {
  expect(parseAdminAddress(text)).toMatchObject({ text, origin })
  expect(parseAdminAddress(text)?.socketPath).toBe(socketPath)
})

test.each([
  '',
  '127.0.0.1:9901',
  'localhost:9901',
  'redis://127.0.0.1',
  'http://a/path',
  'http://a?x',
  'http://u:p@a',
  'unix:',
  'unix:sock',
])('%j is none', (text) => {
  expect(parseAdminAddress(text)).toBeUndefined()
})

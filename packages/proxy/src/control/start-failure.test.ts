import { expect, test } from 'vitest'

import { StartFailure, startFailure } from './start-failure.ts'

test.each([
  ['EADDRINUSE', 'cannot listen on 127.0.0.1:80: another process listens there already'],
  [
    'EACCES',
    'cannot listen on 127.0.0.1:80: the system does not permit it; ports below 1024 need CAP_NET_BIND_SERVICE',
  ],
  ['EADDRNOTAVAIL', 'cannot listen on 127.0.0.1:80: this machine does not have that address'],
  ['EMFILE', 'cannot listen on 127.0.0.1:80: EMFILE'],
])('%s is one sentence', (code, sentence) => {
  const error = Object.assign(new Error(code), { code, syscall: 'listen', address: '127.0.0.1', port: 80 })

  const failure = startFailure(error)

  expect(failure).toBeInstanceOf(StartFailure)
  expect(failure).toMatchObject({ message: sentence, cause: error })
})

test("a socket's failure names its path", () => {
  const error = Object.assign(new Error(), { code: 'EACCES', syscall: 'listen', address: '/run/sticky.sock', port: -1 })

  expect(startFailure(error)).toMatchObject({ message: expect.stringContaining('cannot listen on /run/sticky.sock: ') })
})

test('what has nothing to do with listening stays as it is', () => {
  const error = new TypeError('a bug')

  expect(startFailure(error)).toBe(error)
})

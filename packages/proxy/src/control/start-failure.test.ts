import { createServer } from 'node:http'

import { expect, test } from 'vitest'

import { listen } from './admin-socket.ts'
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

test.each([
  ['EADDRINUSE', 'another process listens there already, or it is a file of another kind'],
  ['EACCES', 'its folder does not exist, or may not be written to'],
  ['ELOOP', 'ELOOP'],
])('%s of a socket names its path, and what is the matter with it', (code, reason) => {
  const error = Object.assign(new Error(), { code, syscall: 'listen', address: '/run/sticky.sock', port: -1 })

  expect(startFailure(error)).toMatchObject({ message: `cannot listen on /run/sticky.sock: ${reason}` })
})

test('so it is of a socket that the system refuses', async () => {
  const listening = listen(createServer(), { socket: '/nowhere/sticky.sock' }).catch(startFailure)

  expect(await listening).toMatchObject({
    message: 'cannot listen on /nowhere/sticky.sock: its folder does not exist, or may not be written to',
  })
})

test('what has nothing to do with listening stays as it is', () => {
  const error = new TypeError('a bug')

  expect(startFailure(error)).toBe(error)
})

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { expect, test } from 'vitest'

import { type Backends, startBackends } from './backends.ts'
import { Visitor } from './visitor.ts'

test('a visitor finds every page of the backend that began its session right', async () => {
  await using backends = await startBackends(['a'], 'any')
  const visitor = new Visitor()

  for (const path of ['/', '/', '/rolling', '/64k', '/1m'] as const) {
    expect(await visitor.visit(portOf(backends, 'a'), path)).toEqual({ kind: 'right' })
  }
  expect(visitor.cookies).toMatch(/^JSESSIONID=a\.\w{24}\.a$/)
})

test('a backend refuses the session of another, and the visitor calls it a wrong backend', async () => {
  await using backends = await startBackends(['a', 'b'], 'any')
  const visitor = new Visitor()

  await visitor.visit(portOf(backends, 'a'), '/')

  expect(await visitor.visit(portOf(backends, 'b'), '/')).toEqual({ kind: 'wrong-backend' })
  expect(await backends.atRest()).toEqual({ served: 1, refused: 1 })
})

test('a body that is not the one of its backend is broken', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nX-Backend: a\r\nContent-Length: 3\r\n\r\nodd'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const verdict = await new Visitor().visit((server.address() as AddressInfo).port, '/')

  expect(verdict).toEqual({ kind: 'broken', why: 'not the body of / on a' })
  server.close()
})

function portOf({ list }: Backends, id: string): number {
  return list.find((backend) => backend.id === id)!.port
}

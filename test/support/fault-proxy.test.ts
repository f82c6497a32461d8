import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { FaultProxy } from './fault-proxy.ts'

describe('a fault proxy', () => {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  let proxy: FaultProxy
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  beforeEach(async () => {
    const started = await FaultProxy.to({ port: (server.address() as AddressInfo).port })
    proxy = started
    return () => started[Symbol.asyncDispose]()
  })
  afterAll(() => void server.close())

  const open = async (): Promise<Socket> => {
    const socket = connect(proxy.port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const echoed = async (socket: Socket, said: string): Promise<string> => {
    socket.write(said)
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    return String(chunk)
  }

  test('passes on what is said', async () => {
    expect(await echoed(await open(), 'hello')).toBe('hello')
  })

  test('holds each chunk back for its latency, both ways, and never changes their order', async () => {
    proxy.slow(60)
    const socket = await open()
    const began = performance.now()

    socket.write('one ')
    const first = once(socket, 'data').then(() => performance.now() - began)
    setTimeout(() => proxy.slow(0), 20)
    setTimeout(() => socket.write('two'), 30)
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
    })
    await first
    while (heard.length < 7) await once(socket, 'data')

    expect(await first).toBeGreaterThan(55)
    expect(heard).toBe('one two')
  })

  test('accepts and stays silent until it flows', async () => {
    proxy.blackhole()
    const socket = await open()
    const heard = echoed(socket, 'hello')
    await expect(Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 50, 'nothing'))])).resolves.toBe(
      'nothing',
    )
    proxy.flow()
    expect(await heard).toBe('hello')
  })

  test('resets the connections that stand', async () => {
    const socket = await open()
    const failed = once(socket, 'close').catch((error: NodeJS.ErrnoException) => error.code)
    await echoed(socket, 'hello')
    proxy.cut()
    expect(await failed).toBe('ECONNRESET')
  })

  test('cuts after so many bytes', async () => {
    proxy.cutAfter(3)
    const socket = await open()
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
    })
    const failed = once(socket, 'close').catch((error: NodeJS.ErrnoException) => error.code)
    socket.write('hello')
    expect(await failed).toBe('ECONNRESET')
    expect(heard).toBe('hel')
  })

  test('refuses connections, and accepts them again on the same port', async () => {
    const { port } = proxy
    await proxy.refuse()
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.accept()
    expect(proxy.port).toBe(port)
    expect(await echoed(await open(), 'hello')).toBe('hello')
  })

  test('carries a large body whole to a reader that takes its time', async () => {
    const socket = await open()
    const sent = 'x'.repeat(4_000_000)
    socket.end(sent)
    expect((await text(socket)).length).toBe(sent.length)
  })
})

import { once } from 'node:events'
import { linkSync, mkdtempSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { listen } from './admin-socket.ts'

describe('a unix socket', () => {
  test("is its owner's alone from its first moment, whatever files else are", async () => {
    const socket = freshPath()
    await using server = createHttpServer()
    const modes: number[] = []
    server.once('listening', () => modes.push(statSync(socket).mode & 0o777))
    const usual = process.umask(0)

    const address = await listen(server, { socket })

    expect(process.umask(usual)).toBe(0)
    expect(address).toBe(`unix:${socket}`)
    expect([...modes, statSync(socket).mode & 0o777]).toEqual([0o600, 0o600])
  })

  test('left by a node that was killed is taken over', async () => {
    const socket = freshPath()
    const abandoned = createServer().listen(socket)
    await once(abandoned, 'listening')
    linkSync(socket, `${socket}.kept`)
    abandoned.close()
    await once(abandoned, 'close')
    renameSync(`${socket}.kept`, socket)
    await using server = createHttpServer()

    expect(await listen(server, { socket })).toBe(`unix:${socket}`)
  })

  test('of a node that lives is refused', async () => {
    const socket = freshPath()
    await using living = createHttpServer()
    await listen(living, { socket })

    await expect(listen(createHttpServer(), { socket })).rejects.toThrow('EADDRINUSE')
  })

  test('is never made over a file of somebody else', async () => {
    const socket = freshPath()
    writeFileSync(socket, 'precious')

    await expect(listen(createHttpServer(), { socket })).rejects.toThrow('EADDRINUSE')
  })
})

test('a connection that cannot be accepted ends no node', async () => {
  await using server = createHttpServer((_, response) => response.end('served'))
  const address = await listen(server, { host: '127.0.0.1', port: 0 })

  // What node:net emits when the process has no descriptors left.
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }))

  expect(await (await fetch(`http://${address}`)).text()).toBe('served')
})

function freshPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'sticky-admin-')), 'admin.sock')
}

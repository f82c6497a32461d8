import type { Socket } from 'node:net'
import { Writable } from 'node:stream'

import { describe, expect, test } from 'vitest'

import { ClientWriter } from './client-writer.ts'

const LARGE = Buffer.alloc(10_000, 'x')

/** A socket whose bytes leave when the test says so. */
function slowSocket() {
  const leaving: (() => void)[] = []
  let left = ''
  const socket = new Writable({
    highWaterMark: 65_536,
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      left += chunk.toString('latin1')
      leaving.push(done)
    },
    writev(chunks, done) {
      for (const { chunk } of chunks) left += chunk.toString('latin1')
      leaving.push(done)
    },
  })
  return {
    socket: socket as unknown as Socket,
    left: () => left,
    async leave() {
      leaving.shift()!()
      await new Promise(setImmediate)
    },
  }
}

describe('what is written to a client', () => {
  test('is copied and gathered when small, and leaves in one write', () => {
    const { socket, left } = slowSocket()
    const writer = new ClientWriter(socket, () => {})

    writer.text('head\r\n')
    expect(writer.piece(Buffer.from('abc'), '3\r\n', '\r\n')).toBe(true)
    expect(left()).toBe('')
    writer.flush()

    expect(left()).toBe('head\r\n3\r\nabc\r\n')
    expect(writer.content).toBe(3)
  })

  test('keeps its order when large', async () => {
    const { socket, left, leave } = slowSocket()
    const writer = new ClientWriter(socket, () => {})

    writer.text('head\r\n')
    writer.piece(LARGE, '2710\r\n', '\r\n')
    writer.piece(Buffer.from('abc'), '3\r\n', '\r\n')
    writer.flush()
    await leave()

    expect(left()).toBe(`head\r\n2710\r\n${LARGE}\r\n3\r\nabc\r\n`)
  })

  test('is said to have left once nothing waits, whatever was written last', async () => {
    const { socket, leave } = slowSocket()
    let progress = 0
    const writer = new ClientWriter(socket, () => progress++)

    expect(writer.piece(LARGE, '2710\r\n', '\r\n')).toBe(false)
    writer.flush()
    await leave()
    expect(progress).toBe(0)
    await leave()

    expect(progress).toBe(1)
  })
})

describe('what a client has taken', () => {
  test('is what was given to the system, less what still waits there, since it was last asked', () => {
    const { socket } = slowSocket()
    const handle = { bytesWritten: 1_000, writeQueueSize: 900 }
    const writer = new ClientWriter(socket, () => {}, Object.assign(slowSocket().socket, { _handle: handle }))

    const first = writer.taken()
    handle.writeQueueSize = 850
    const second = writer.taken()
    handle.bytesWritten = 2_000
    handle.writeQueueSize = 1_850

    expect([first, second, writer.taken()]).toEqual([100, 50, 0])
  })

  test('is nothing more once the connection is closed', () => {
    const { socket } = slowSocket()
    const writer = new ClientWriter(socket, () => {}, Object.assign(slowSocket().socket, { _handle: null }))

    expect(writer.taken()).toBe(0)
  })
})

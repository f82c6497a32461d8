import { once } from 'node:events'
import type { Socket } from 'node:net'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { type RawBackend, rawBackend, scriptedBackend } from '../traffic/traffic.test-support.ts'
import type { Backend } from './backend.ts'
import { BackendConnection } from './backend-connection.ts'
import { Deadlines } from './deadlines.ts'
import { backendOn, NotingSink, parsedRequest, patience } from './transport.test-support.ts'
import { WireTransport } from './wire-transport.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
const PUT = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n'
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const MUCH = Buffer.alloc(30_000_000, 'x')

let deadlines: Deadlines
let transport: WireTransport

beforeEach(() => {
  deadlines = new Deadlines()
  transport = new WireTransport(deadlines, { ...patience, response: 200, tunnel: 400, write: 600, backendIdle: 300 })
})

afterEach(() => {
  vi.restoreAllMocks()
  transport[Symbol.dispose]()
  deadlines[Symbol.dispose]()
})

function begin(backend: Backend, text: string): NotingSink {
  const sink = new NotingSink()
  transport.send(backend, parsedRequest(text), text, sink, false)
  return sink
}

/** Lets the clock say it is so much later; nothing waits for it. */
function pass(milliseconds: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds)
}

describe('an idle connection', () => {
  const patient = () => {
    transport = new WireTransport(deadlines, patience)
  }

  test.each([
    ['GET', GET],
    ['POST', POST],
  ])('is taken at once by the next %s', async (_, request) => {
    patient()
    await using backend = await scriptedBackend(HELLO)
    const place = backendOn(backend.port)

    await begin(place, GET).outcome
    await begin(place, request).outcome

    expect(backend.sockets).toHaveLength(1)
  })

  test.each([
    ['GET', GET, 1],
    ['POST', POST, 2],
    ['PUT with a body', PUT, 2],
  ])('is, after a second, taken by a %s only if that could be sent again', async (_, request, connections) => {
    patient()
    await using backend = await scriptedBackend(HELLO)
    const place = backendOn(backend.port)

    await begin(place, GET).outcome
    pass(1_100)
    await begin(place, request).outcome

    expect(backend.sockets).toHaveLength(connections)
  })

  test('is closed when its time is over', async () => {
    await using backend = await scriptedBackend(HELLO)
    const place = backendOn(backend.port)

    await begin(place, GET).outcome
    await once(backend.sockets[0]!, 'close')
    await begin(place, GET).outcome

    expect(backend.sockets).toHaveLength(2)
  })

  test('is closed a second before the backend would', async () => {
    patient()
    await using backend = await scriptedBackend(HELLO.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=2\r\n\r\n'))
    const place = backendOn(backend.port)
    await begin(place, GET).outcome
    const idleSince = performance.now()

    await once(backend.sockets[0]!, 'close')

    expect(performance.now() - idleSince).toBeGreaterThan(900)
    expect(performance.now() - idleSince).toBeLessThan(1_900)
  })

  test('that the backend closes is never taken', async () => {
    patient()
    await using backend = await rawBackend((socket) => socket.on('data', () => socket.end(HELLO)))
    const place = backendOn(backend.port)

    await begin(place, GET).outcome
    await once(backend.sockets[0]!, 'close')

    expect(await begin(place, POST).outcome).toBe('hello')
  })

  test('that was taken is not closed for having been idle', async () => {
    await using backend = await rawBackend((socket) => {
      let text = ''
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1')
        if (text.endsWith('\r\n\r\n') && !text.includes('chunked')) socket.write(HELLO)
        if (text.endsWith('0\r\n\r\n')) socket.write(HELLO)
      })
    })
    const place = backendOn(backend.port)
    await begin(place, GET).outcome

    const sink = begin(place, UPLOAD)
    const flight = await sink.taking
    await new Promise((resolve) => setTimeout(resolve, 700))
    flight.write(Buffer.from('late'))
    flight.end('')

    expect(await sink.outcome).toBe('hello')
    expect(backend.sockets).toHaveLength(1)
  })

  test('is none while the backend has yet to take what it was sent', async () => {
    patient()
    await using backend = await unreading((socket) => socket.write(HELLO))
    const place = backendOn(backend.port)
    const sink = begin(place, UPLOAD)

    const flight = await sink.taking
    flight.write(MUCH)
    flight.end('')
    await backend.answer()
    await sink.outcome
    begin(place, GET)

    await once(backend.server, 'connection')
    expect(backend.sockets).toHaveLength(2)
  })
})

interface Unreading extends RawBackend {
  /** Answers, or whatever it does instead. */
  answer(): Promise<void>
}

/** A backend that reads nothing of its first connection. */
async function unreading(answer: (socket: Socket) => void): Promise<Unreading> {
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>()
  const backend = await rawBackend((socket) => accept(socket.pause()))
  return Object.assign(backend, { answer: async () => answer(await accepted) })
}

describe('a request that is not taken', () => {
  test('is given up in time', async () => {
    await using backend = await unreading(() => {})
    const sink = begin(backendOn(backend.port), UPLOAD)

    const flight = await sink.taking
    expect(flight.write(MUCH)).toBe(false)

    expect(await sink.outcome).toEqual({ phase: 'before-head', cause: 'timeout' })
  })

  test('and then is, but not answered, is given up too', async () => {
    await using backend = await unreading((socket) => socket.resume())
    const sink = begin(backendOn(backend.port), UPLOAD)

    const flight = await sink.taking
    flight.write(MUCH)
    flight.end('')
    await backend.answer()
    await sink.drain

    expect(await sink.outcome).toEqual({ phase: 'before-head', cause: 'timeout' })
  })

  test('nor ever will be is given up at once', async () => {
    transport = new WireTransport(deadlines, patience)
    await using backend = await rawBackend((socket) => socket.pause().end())
    const sink = begin(backendOn(backend.port), UPLOAD)

    const flight = await sink.taking
    flight.write(MUCH)

    expect(await sink.outcome).toEqual({ phase: 'before-head', cause: 'reset' })
  })
})

describe('a tunnel', () => {
  const switching = (then: (socket: Socket) => void) =>
    rawBackend((socket) =>
      socket.once('data', () => {
        socket.write(SWITCHING)
        then(socket)
      }),
    )

  async function tunnel(backend: Backend) {
    const sink = new NotingSink()
    const flight = transport.send(backend, parsedRequest(UPGRADE), UPGRADE, sink, false)
    await sink.begun
    return { sink, flight }
  }

  test('that is silent both ways ends', async () => {
    await using backend = await switching((socket) => socket.resume())
    const { sink } = await tunnel(backendOn(backend.port))

    expect(await sink.outcome).toBe('')
  })

  test('in which only the client speaks goes on', async () => {
    let heard = ''
    await using backend = await switching((socket) => socket.on('data', (bytes) => (heard += bytes)))
    const { sink, flight } = await tunnel(backendOn(backend.port))

    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      flight.write(Buffer.from(String(n)))
    }
    await once(backend.sockets[0]!, 'data')
    flight.abort()

    expect(heard).toBe('01234')
    expect(await Promise.race([sink.outcome, 'open'])).toBe('open')
  })

  test('whose backend reads again after a stall may be silent no longer than others', async () => {
    await using backend = await unreading((socket) => socket.resume())
    const place = backendOn(backend.port)
    const { promise: switched, resolve } = Promise.withResolvers<void>()
    backend.server.once('connection', (socket: Socket) => socket.write(SWITCHING, () => resolve()))
    const { sink, flight } = await tunnel(place)
    await switched

    flight.write(MUCH)
    await backend.answer()
    await sink.drain

    expect(await sink.outcome).toBe('')
  })

  test('that its client left while it was slow ends as soon as the backend does', async () => {
    await using backend = await switching((socket) => socket.write('x'.repeat(5_000)))
    const { promise: gone, resolve: closed } = Promise.withResolvers<BackendConnection>()
    const keeper = { deadlines, timeouts: patience, idle: () => {}, insecure: () => {}, closed }
    const connection = new BackendConnection(backendOn(backend.port), keeper)
    const sink = new NotingSink()
    sink.goesOn = false
    connection.start(parsedRequest(UPGRADE), UPGRADE, sink)
    await vi.waitUntil(() => sink.body !== '', { interval: 5 })
    const begun = performance.now()

    connection.abort()
    await gone

    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('that its client left ends, whatever the backend still sends', async () => {
    await using backend = await switching((socket) => {
      socket.allowHalfOpen = true
      const sending = setInterval(() => socket.write('still here'), 20)
      socket.once('close', () => clearInterval(sending))
    })
    const { flight } = await tunnel(backendOn(backend.port))

    flight.abort()

    await new Promise((resolve) => backend.sockets[0]!.once('close', resolve))
  })
})

describe('a probe of an ejected backend', () => {
  async function ejected(backend: Backend): Promise<void> {
    backend.health.failed(backend.health.attempted())
    expect(backend.health.canServe).toBe(false)
    await vi.waitUntil(() => backend.health.canServe)
  }

  test.each([
    ['closes it without an answer', (socket: Socket) => socket.destroy()],
    ['answers out of order', (socket: Socket) => socket.write('what?\r\n\r\n')],
    ['never answers', () => {}],
  ])('over a connection from before is over when the backend %s', async (_, react) => {
    transport = new WireTransport(deadlines, { ...patience, response: 200 })
    await using backend = await rawBackend((socket) => {
      socket.once('data', () => {
        socket.write(HELLO)
        socket.on('data', () => react(socket))
      })
    })
    const place = backendOn(backend.port, 1, 100)
    await begin(place, GET).outcome
    await ejected(place)

    await begin(place, GET).outcome

    expect(place.health.ejected).toBe(true)
    expect(place.health.canServe).toBe(true)
  })

  test('is over when its client leaves', async () => {
    await using backend = await rawBackend((socket) => socket.once('data', () => socket.write(HELLO)))
    const place = backendOn(backend.port, 1, 100)
    await begin(place, GET).outcome
    await ejected(place)
    const sink = new NotingSink()
    const flight = transport.send(place, parsedRequest(GET), GET, sink, false)
    expect(place.health.canServe).toBe(false)

    flight.abort()

    expect(place.health.canServe).toBe(true)
  })

  test('brings it back when it switches protocols', async () => {
    await using backend = await rawBackend((socket) => {
      socket.once('data', () => {
        socket.write(HELLO)
        socket.on('data', () => socket.write(SWITCHING))
      })
    })
    const place = backendOn(backend.port, 1, 100)
    await begin(place, GET).outcome
    await ejected(place)

    await begin(place, UPGRADE).begun

    expect(place.health.ejected).toBe(false)
  })
})

describe('a backend that is taken out', () => {
  test('loses its idle connections, and those that become idle later', async () => {
    await using backend = await scriptedBackend(HELLO)
    const place = backendOn(backend.port)
    await begin(place, GET).outcome
    const late = begin(place, GET)

    transport.retire([place])

    await late.outcome
    await vi.waitUntil(() => backend.sockets.every((socket) => socket.destroyed), { interval: 5 })
  })

  test('keeps none for others to wait for', async () => {
    await using backend = await scriptedBackend(HELLO)
    const [gone, kept] = [backendOn(backend.port), backendOn(backend.port)]
    await begin(kept, GET).outcome
    transport.retire([gone])

    await begin(kept, GET).outcome

    expect(backend.sockets).toHaveLength(1)
  })
})

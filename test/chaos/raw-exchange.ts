import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection as bytes, for what no HTTP client would do; errors end it. */
export async function rawConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Sends a request; answers all that comes until the connection ends, however it does. */
export async function rawExchange(port: number, request: string): Promise<string> {
  const socket = await rawConnection(port)
  let received = ''
  socket.setEncoding('latin1').on('data', (text) => {
    received += text
  })
  // Not `once`, which rejects at a reset, for that is an answer, too.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(request)
  await closed
  return received
}

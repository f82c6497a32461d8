import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** An application that answers each path with bytes laid out beforehand. */
export class CannedApp implements AsyncDisposable {
  /** The paths that each connection was asked for, in their order. */
  readonly connections: string[][] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(answers: Answers, closesAfter: (path: string) => boolean) {
    this.#server = createServer((socket) => {
      const asked: string[] = []
      this.connections.push(asked)
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('data', (bytes) => {
        const path = bytes.toString('latin1').split(' ')[1]!
        asked.push(path)
        socket.write(answers[path] ?? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'latin1')
        if (closesAfter(path)) socket.end()
      })
    })
  }

  /** Closes its connection after each answer, unless told after which. */
  static async start(answers: Answers, closesAfter: (path: string) => boolean = () => true): Promise<CannedApp> {
    const app = new CannedApp(answers, closesAfter)
    app.#server.listen(0, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

type Answers = Readonly<Record<string, string>>

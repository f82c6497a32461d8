import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

import type { Visit } from './visited-app.ts'

/** What steady visitors have seen. */
export interface Seen {
  readonly visits: number
  /** What was wrong: a status, a connection that broke, a count that was lost. */
  readonly faults: readonly string[]
  /** Who found itself on another application than before: `a -> b`. */
  readonly moves: readonly string[]
  /** Of the visitors, where each lives now. */
  readonly homes: readonly (string | undefined)[]
}

/** Somebody with a cookie jar and one connection that is kept alive. */
class Visitor {
  home: string | undefined
  /** Requests that were answered, or failed. */
  visits = 0
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #cookies = new Map<string, string>()
  #count = 0
  #turn: number

  constructor(turn: number) {
    this.#turn = turn
  }

  /** Asks the ports in turn; only a refused connection is tried at the next one. Every fourth visit is a POST. */
  async visit(ports: readonly number[], seen: { faults: string[]; moves: string[] }): Promise<void> {
    const method = this.#turn % 4 === 3 ? 'POST' : 'GET'
    for (let refused = 0; ; refused++) {
      try {
        return this.#judge(await this.#send(method, ports[this.#turn++ % ports.length]!), seen)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        if (code === 'ECONNREFUSED' && refused < ports.length - 1) continue
        return void seen.faults.push(`${method}: ${message}`)
      }
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #judge({ status, body }: Page, seen: { faults: string[]; moves: string[] }): void {
    if (status !== 200) return void seen.faults.push(`${status}: ${body.trim()}`)
    const { app, count } = JSON.parse(body) as Visit
    const moved = this.home !== undefined && app !== this.home
    if (moved) seen.moves.push(`${this.home} -> ${app}`)
    else if (count !== this.#count + 1) seen.faults.push(`visit ${this.#count + 1} was counted as ${count}`)
    this.home = app
    this.#count = count
  }

  #send(method: string, port: number): Promise<Page> {
    return new Promise((resolve, reject) => {
      const Cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
      const headers = Cookie === '' ? {} : { Cookie }
      const call = request({ host: '127.0.0.1', port, method, headers, agent: this.#agent }, (response) => {
        this.#keep(response)
        whole(response).then((body) => resolve({ status: response.statusCode!, body }), reject)
      })
      call.on('error', reject).end(method === 'POST' ? 'posted' : undefined)
    })
  }

  #keep(response: IncomingMessage): void {
    for (const field of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(field)!
      this.#cookies.set(name!, value!)
    }
  }
}

interface Page {
  readonly status: number
  readonly body: string
}

/** Visitors that ask all the time, one request after the other, and check where they come and what is remembered of them. */
export class Visitors implements AsyncDisposable {
  readonly #visitors: readonly Visitor[]
  readonly #seen = { visits: 0, faults: [] as string[], moves: [] as string[] }
  readonly #walks: Promise<unknown>
  #stopped = false

  private constructor(count: number, ports: () => readonly number[]) {
    this.#visitors = Array.from({ length: count }, (_, turn) => new Visitor(turn))
    this.#walks = Promise.all(this.#visitors.map((visitor) => this.#walk(visitor, ports)))
  }

  /** So many begin to ask these ports, or those that are then the ones to ask; resolves when each has been answered once. */
  static async begin(count: number, ports: readonly number[] | (() => readonly number[])): Promise<Visitors> {
    const visitors = new Visitors(count, typeof ports === 'function' ? ports : () => ports)
    while (visitors.#visitors.some(({ visits }) => visits === 0)) await delay(10)
    return visitors
  }

  /** What they saw so far. */
  get seen(): Seen {
    return { ...this.#seen, homes: this.#visitors.map(({ home }) => home) }
  }

  /** Lets each end the request it is in; answers what all saw. */
  async stop(): Promise<Seen> {
    this.#stopped = true
    await this.#walks
    for (const visitor of this.#visitors) visitor.close()
    return this.seen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #walk(visitor: Visitor, ports: () => readonly number[]): Promise<void> {
    while (!this.#stopped) {
      await visitor.visit(ports(), this.#seen)
      visitor.visits++
      this.#seen.visits++
      await delay(40 + 20 * Math.random())
    }
  }
}

async function whole(response: IncomingMessage): Promise<string> {
  let body = ''
  for await (const bytes of response) body += bytes
  return body
}

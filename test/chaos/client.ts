import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'

import type { Count } from './counting-app.ts'

/** Where a client can ask. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** What came of one request. */
export interface Visit {
  readonly began: number
  readonly ended: number
  /** Where the session lived before; undefined for a newcomer. */
  readonly home: string | undefined
  /** Who answered; undefined when nobody did as he should. */
  readonly app: string | undefined
  /** Which target, counted from 0. */
  readonly node: number
  /** What was wrong: a status, a broken connection, a lost counter. */
  readonly fault: string | undefined
  readonly status: number | undefined
  /** Did the answer of another backend bring the cookie for it? */
  readonly isMoved: boolean
}

const patience = 15_000

/** Somebody with a browser: keeps its cookies and connections, and knows its home and how far its counter must be. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #cookies = new Map<string, string>()
  readonly #host: string
  #home: string | undefined
  #count = 0
  /** Requests that failed, of which nobody knows whether they are counted yet: a network may keep them for a while. */
  #uncertain = 0
  #turn: number
  /** Times a connection was refused and the next node was asked. */
  refused = 0

  /** `host` chooses the route; `turn` the node that is asked first. */
  constructor(host: string, turn = 0) {
    this.#host = host
    this.#turn = turn
  }

  get home(): string | undefined {
    return this.#home
  }

  /** Asks each target in turn; only where a connection is refused, the next one at once. Every fourth request is a POST. */
  async visit(targets: readonly Target[]): Promise<Visit> {
    const began = performance.now()
    const home = this.#home
    const method = this.#turn % 4 === 3 ? 'POST' : 'GET'
    for (let attempt = 0; ; attempt++) {
      const node = this.#turn++ % targets.length
      try {
        const response = await this.#send(method, targets[node]!)
        return { began, ended: performance.now(), home, node, ...this.#judge(response) }
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        if (code === 'ECONNREFUSED' && attempt < targets.length - 1) {
          this.refused++
          continue
        }
        this.#uncertain++
        const fault = `${method}: ${message}`
        return { began, ended: performance.now(), home, node, app: undefined, fault, status: undefined, isMoved: false }
      }
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #send(method: string, { host, port }: Target): Promise<Answer> {
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = { host: this.#host, ...(cookie && { cookie }) }
    const call = request({ host, port, method, path: '/count', headers, agent: this.#agent, timeout: patience })
    call.on('timeout', () => call.destroy(new Error(`no answer for ${patience} ms`)))
    call.end(method === 'POST' ? 'one more' : undefined)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    let body = ''
    for await (const bytes of response) body += bytes
    const names = (response.headers['set-cookie'] ?? []).map((field) => this.#keep(field))
    return { status: response.statusCode!, body, names }
  }

  #keep(field: string): string {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(field)!
    this.#cookies.set(name!, value!)
    return name!
  }

  #judge({ status, body, names }: Answer): Pick<Visit, 'app' | 'fault' | 'status' | 'isMoved'> {
    if (status !== 200) {
      this.#uncertain++
      return { app: undefined, fault: `${status} ${body.trim()}`, status, isMoved: false }
    }
    const { app, count } = JSON.parse(body) as Count
    const isMoved = this.#home !== undefined && app !== this.#home
    const fault = isMoved ? faultOfMove(names) : this.#faultOfCount(count)
    this.#uncertain = isMoved ? 0 : Math.max(0, this.#uncertain - (count - this.#count - 1))
    this.#home = app
    this.#count = count
    return { app, fault, status, isMoved }
  }

  #faultOfCount(count: number): string | undefined {
    const least = this.#count + 1
    if (count >= least && count <= least + this.#uncertain) return undefined
    return `counter at ${count} instead of ${least}`
  }
}

interface Answer {
  readonly status: number
  readonly body: string
  /** Of the cookies it set. */
  readonly names: readonly string[]
}

/** Whoever is sent elsewhere must be told so at once, or the next request goes astray. */
function faultOfMove(names: readonly string[]): string | undefined {
  return names.some((name) => name.includes('sticky')) ? undefined : 'moved without a cookie for it'
}

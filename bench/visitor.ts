import { Agent, get, type IncomingMessage } from 'node:http'

import { bodyOf, type Path } from './pages.ts'

/** What a reply turned out to be; `wrong-backend` is one that does not hold the session, all else is `broken`. */
export type Verdict = { kind: 'right' } | { kind: 'wrong-backend' } | { kind: 'broken'; why: string }

const right: Verdict = { kind: 'right' }
const wrongBackend: Verdict = { kind: 'wrong-backend' }
const agent = new Agent({ keepAlive: true, scheduling: 'lifo' })

/** One client with its cookies, who looks at every byte it gets. */
export class Visitor {
  readonly #cookies = new Map<string, string>()
  #home: string | undefined

  /** The value of its Cookie header. */
  get cookies(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Asks one node for a page and judges the whole reply; the first reply decides which backend is right from then on. */
  async visit(port: number, path: Path): Promise<Verdict> {
    const headers = this.#cookies.size > 0 ? { cookie: this.cookies } : {}
    const response = await reply(port, path, headers)
    const body = await bodyIn(response)
    this.#keepCookies(response.headers['set-cookie'] ?? [])
    return this.#judge(response, body, path)
  }

  #keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const pair = line.split(';', 1)[0]!
      const equals = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
  }

  #judge(response: IncomingMessage, body: Buffer, path: Path): Verdict {
    if (response.statusCode === 409) return wrongBackend
    if (response.statusCode !== 200) return { kind: 'broken', why: `status ${response.statusCode}` }
    const backend = String(response.headers['x-backend'])
    this.#home ??= backend
    if (backend !== this.#home) return wrongBackend
    if (!body.equals(expected(backend, path))) return { kind: 'broken', why: `not the body of ${path} on ${backend}` }
    return right
  }
}

function reply(port: number, path: Path, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent }, resolve).on('error', reject)
  })
}

async function bodyIn(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

const bodies = new Map<string, Buffer>()

function expected(backend: string, path: Path): Buffer {
  const name = `${backend} ${path}`
  const known = bodies.get(name) ?? bodyOf(backend, path)
  bodies.set(name, known)
  return known
}

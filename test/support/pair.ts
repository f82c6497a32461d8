import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'

import { ProxyNode } from './proxy-node.ts'
import { freshPrefix, redisUrl } from './redis.ts'
import { ANSWER, type Answer, type Seen } from './scripted-app.ts'

/** A request to one of the nodes. */
export interface Ask {
  readonly method?: string
  /** Sent as it stands. */
  readonly target?: string
  readonly host?: string
  readonly cookie?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  /** What a scripted application is to answer. */
  readonly answer?: Answer
  /** Which node is asked: 0 or 1; by default they take turns. */
  readonly node?: 0 | 1
}

/** What came back. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The Set-Cookie fields, in order. */
  readonly cookies: readonly string[]
  readonly body: string
  /** The scripted application that answered. */
  readonly app: string | undefined
}

/** Two proxy nodes over one Redis, under a prefix of their own. */
export class Pair implements AsyncDisposable {
  readonly nodes: readonly [ProxyNode, ProxyNode]
  #turn: 0 | 1 = 0

  private constructor(nodes: readonly [ProxyNode, ProxyNode]) {
    this.nodes = nodes
  }

  /** Two nodes that run already; disposing the pair stops them. */
  static of(one: ProxyNode, two: ProxyNode): Pair {
    return new Pair([one, two])
  }

  /** Starts both nodes from one configuration; store, listeners and node ids are added. */
  static async start(config: object): Promise<Pair> {
    const store = { url: redisUrl(), prefix: freshPrefix() }
    const shared = { store, ...config }
    const [one, two] = await Promise.all(
      ['n1', 'n2'].map((id) => ProxyNode.start({ ...shared, node: { id, workers: 1 } })),
    )
    return new Pair([one!, two!])
  }

  /** Starts both nodes from one plugin-cfg.xml over that Redis, which they have to themselves: an XML file names no prefix. */
  static async startXml(xml: string, redis: string): Promise<Pair> {
    const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--store', redis]
    const [one, two] = await Promise.all(
      ['n1', 'n2'].map((id) => ProxyNode.startFile('plugin-cfg.xml', xml, ['--node-id', id, ...free])),
    )
    return new Pair([one!, two!])
  }

  /** Sends one request on a fresh connection, each time to the other node unless one is named. */
  async ask(ask: Ask = {}): Promise<Reply> {
    const { method = 'GET', target = '/', host = 'example.com', cookie, headers, body, answer, node = this.#turn } = ask
    this.#turn = node === 0 ? 1 : 0
    const fields = { Host: host, ...headers, Cookie: cookie, [ANSWER]: answer && JSON.stringify(answer) }
    const sent = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
    const call = request({
      host: '127.0.0.1',
      port: this.nodes[node].port,
      method,
      path: target,
      headers: sent as OutgoingHttpHeaders,
      agent: false,
    })
    call.end(body)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    return replyOf(response)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()))
  }
}

/** What the scripted application that answered had seen. */
export function seenBy(reply: Reply): Seen {
  return JSON.parse(reply.body) as Seen
}

async function replyOf(response: IncomingMessage): Promise<Reply> {
  let body = ''
  for await (const bytes of response) body += bytes
  const { headers } = response
  return {
    status: response.statusCode!,
    headers,
    cookies: headers['set-cookie'] ?? [],
    body,
    app: headers['x-app'] as string | undefined,
  }
}

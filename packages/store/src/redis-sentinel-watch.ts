import { isIP } from 'node:net'

import { Redis } from 'ioredis'

import type { RedisConnection } from './redis-connection.ts'
import type { RedisAddress, SentinelTarget } from './redis-url.ts'

const news = '+switch-master'

/**
 * Hears from the sentinels when another server becomes the master, and has connections to the old one made anew. That one
 * may live on: for seconds after a switch-over, or for as long as it is cut off, it takes writes that nobody will keep.
 */
export class SentinelWatch implements Disposable {
  readonly #target: SentinelTarget
  readonly #connections: readonly RedisConnection[]
  readonly #sentinels: readonly Redis[]

  constructor(target: SentinelTarget, connections: readonly RedisConnection[]) {
    this.#target = target
    this.#connections = connections
    this.#sentinels = target.sentinels.map((address) => this.#hear(address))
  }

  [Symbol.dispose](): void {
    for (const sentinel of this.#sentinels) sentinel.disconnect()
  }

  #hear({ host, port }: RedisAddress): Redis {
    const { tls, sentinelUsername: username, sentinelPassword: password } = this.#target
    const sentinel = new Redis({
      ...{ host, port, connectionName: 'sticky-sentinels', connectTimeout: 1000, enableReadyCheck: false },
      ...{ enableOfflineQueue: false, maxRetriesPerRequest: 0, autoResubscribe: false },
      retryStrategy: (attempt) => Math.min(5000, 100 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: {} }),
    })
    // Another sentinel says the same; this one is tried again.
    sentinel.on('error', () => {})
    sentinel.on('ready', () => this.#catchUp(sentinel).catch(() => {}))
    sentinel.on('message', (_, message: string) => this.#heed(message))
    return sentinel
  }

  /** What happened while it was not heard. A name says nothing: connections know addresses. */
  async #catchUp(sentinel: Redis): Promise<void> {
    await sentinel.subscribe(news)
    const answer = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#target.master)
    const [host, port] = (answer ?? []) as string[]
    if (host !== undefined && isIP(host) !== 0) this.#leadTo(host, Number(port))
  }

  /** `<master> <old host> <old port> <new host> <new port>` */
  #heed(message: string): void {
    const [master, , , host, port] = message.split(' ')
    if (master === this.#target.master && host !== undefined) this.#leadTo(host, Number(port))
  }

  #leadTo(host: string, port: number): void {
    for (const { client } of this.#connections) {
      const { remoteAddress, remotePort } = client.stream ?? {}
      const leadsThere = remoteAddress === host && remotePort === port
      if (client.status === 'ready' && !leadsThere) client.disconnect(true)
    }
  }
}

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

import type { Surroundings } from '../support/proxy-node.ts'

/** A network namespace with two links to the machine: one for traffic, and one to Redis that can be taken down. */
export class Namespace implements AsyncDisposable {
  readonly #name: string
  readonly #links: readonly Link[]
  readonly #relays: Relay[] = []

  private constructor(name: string, links: readonly Link[]) {
    this.#name = name
    this.#links = links
  }

  /** Undefined where the machine does not allow it. */
  static create(): Namespace | undefined {
    // Some other run on this machine may have one, too.
    const tag = process.pid % 60_000
    const name = `sticky-${tag}`
    const links = [0, 1].map((number) => ({
      outside: `st${tag}o${number}`,
      inside: `st${tag}i${number}`,
      network: `10.${64 + 4 * number + ((tag >> 6) & 3)}.${tag >> 8}.${(tag & 63) * 4}`.split('.'),
    }))
    if (!ip(`netns add ${name}`)) return undefined
    const namespace = new Namespace(name, links)
    const isUp = links.every((link) => namespace.#connect(link)) && ip(`-n ${name} link set lo up`)
    if (isUp) return namespace
    namespace.#remove()
    return undefined
  }

  /** The machine's address on the link for traffic. */
  get outside(): string {
    return addressOf(this.#links[0]!, 1)
  }

  /** The namespace's own, there. */
  get inside(): string {
    return addressOf(this.#links[0]!, 2)
  }

  get surroundings(): Surroundings {
    return { under: ['ip', 'netns', 'exec', this.#name] }
  }

  /** The way to that port of the machine over the other link, as `host:port`. */
  async wayTo(port: number): Promise<string> {
    const relay = new Relay(port)
    this.#relays.push(relay)
    return `${addressOf(this.#links[1]!, 1)}:${await relay.listen(addressOf(this.#links[1]!, 1))}`
  }

  /** Takes the other link down: packets go nowhere, and nobody is told. */
  cut(): void {
    ip(`link set ${this.#links[1]!.outside} down`)
  }

  heal(): void {
    ip(`link set ${this.#links[1]!.outside} up`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#remove()
    for (const relay of this.#relays) await relay.close()
  }

  #connect(link: Link): boolean {
    const { outside, inside } = link
    return (
      ip(`link add ${outside} type veth peer name ${inside}`) &&
      ip(`link set ${inside} netns ${this.#name}`) &&
      ip(`addr add ${addressOf(link, 1)}/30 dev ${outside}`) &&
      ip(`link set ${outside} up`) &&
      ip(`-n ${this.#name} addr add ${addressOf(link, 2)}/30 dev ${inside}`) &&
      ip(`-n ${this.#name} link set ${inside} up`)
    )
  }

  #remove(): void {
    for (const { outside } of this.#links) ip(`link del ${outside}`)
    ip(`netns del ${this.#name}`)
  }
}

interface Link {
  readonly outside: string
  readonly inside: string
  readonly network: readonly string[]
}

function addressOf({ network }: Link, host: number): string {
  return network.with(3, `${Number(network[3]) + host}`).join('.')
}

function ip(words: string): boolean {
  return spawnSync('ip', words.split(' '), { stdio: 'ignore' }).status === 0
}

/** Passes connections on to a port of the machine's loopback, which other namespaces cannot reach. */
class Relay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      client.pipe(server).pipe(client)
      for (const socket of [client, server]) {
        this.#sockets.add(socket)
        socket.on('error', () => socket.destroy())
        socket.on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          server.destroy()
        })
      }
    })
  }

  async listen(host: string): Promise<number> {
    await once(this.#server.listen(0, host), 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((closed) => this.#server.close(closed))
  }
}

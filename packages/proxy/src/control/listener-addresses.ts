import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import type { Address, ListenConfig } from '../config/config.ts'

/** A listener's address as the configuration has it, and as workers are told it: a port that is to be any is asked for once. */
interface Told {
  readonly configured: Address
  readonly told: Address
}

/** What a node's workers are told of its listeners, so that all of them, whenever they start, share the same sockets. */
export class ListenerAddresses {
  #told: readonly Told[]

  /** The workers that start first are told what is configured. */
  constructor(listeners: readonly ListenConfig[]) {
    this.#told = listeners.map(({ address }) => ({ configured: address, told: address }))
  }

  /** When no worker is left, the sockets are gone: those that start next are told what had been bound. */
  pin(bound: readonly string[]): void {
    this.#told = this.#told.map(({ configured, told }, index) => {
      const port = Number(bound[index]?.split(':').at(-1))
      return { configured, told: { ...told, port } }
    })
  }

  /** What workers are to be told of those listeners; rejects with the system's error when an address that is new cannot be bound. */
  async next(listeners: readonly ListenConfig[]): Promise<NextListeners> {
    const left = [...this.#told]
    const told: Told[] = []
    for (const { address } of listeners) {
      const at = left.findIndex(({ configured }) => isSame(configured, address))
      told.push(at === -1 ? { configured: address, told: await bindable(address) } : left.splice(at, 1)[0]!)
    }
    const adopt = (): void => {
      this.#told = told
    }
    return { listen: listeners.map((listener, index) => ({ ...listener, address: told[index]!.told })), adopt }
  }

  /** These listeners as workers are told. */
  of(listeners: readonly ListenConfig[]): ListenConfig[] {
    return listeners.map((listener, index) => ({ ...listener, address: this.#told[index]!.told }))
  }
}

/** Listeners of another configuration. */
interface NextListeners {
  readonly listen: readonly ListenConfig[]
  /** They are those in use now. */
  adopt(): void
}

/** Tries it here first: a worker that fails to bind would from then on call the socket by another name than workers that start later. */
async function bindable(address: Address): Promise<Address> {
  const server = createServer()
  server.listen(address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return { ...address, port }
}

function isSame(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port
}

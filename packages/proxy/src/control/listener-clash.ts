import { overlaps, showAddress } from '../config/address.ts'
import type { Address, Config } from '../config/config.ts'

type Listening = Pick<Config, 'listen' | 'admin'>

/** Why a node that runs by the first cannot listen where the second says, as it is in its own way there; undefined: it is not. */
export function listenerClash(running: Listening, next: Listening): string | undefined {
  for (const { address } of addedListeners(running, next)) {
    const { listen, admin } = running
    const own = listen.find((listener) => overlaps(listener.address, address))
    if (own !== undefined)
      return `${cannot(address)} while it listens on ${showAddress(own.address)}: take that out first`
    if (admin !== undefined && 'port' in admin.address && overlaps(admin.address, address))
      return `${cannot(address)}, where its admin API is until it is started again`
  }
  return undefined
}

function addedListeners(running: Listening, next: Listening): Listening['listen'] {
  const had = new Set(running.listen.map(({ address }) => showAddress(address)))
  return next.listen.filter(({ address }) => address.port !== 0 && !had.has(showAddress(address)))
}

function cannot(address: Address): string {
  return `this node cannot listen on ${showAddress(address)}`
}

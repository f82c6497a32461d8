import { caddy } from './proxies/caddy.ts'
import type { Contender } from './proxies/contender.ts'
import { haproxyInsert, haproxyPeers, haproxyTable } from './proxies/haproxy.ts'
import { nginx } from './proxies/nginx.ts'
import { fastifyHttpProxy, httpProxy } from './proxies/node-peers.ts'
import { type Checkout, sticky, stickyWith } from './proxies/sticky.ts'
import { strategies } from './proxies/sticky-strategies.ts'

/** Ourselves beside everybody else. */
export function besidePeers(checkout: Checkout): Contender[] {
  const peers = [haproxyInsert, haproxyTable, haproxyPeers, nginx, caddy, httpProxy, fastifyHttpProxy]
  return [...bothKinds(checkout), ...peers, ...strategies.map((strategy) => stickyWith(checkout, strategy))]
}

/** Revisions of ourselves beside each other. */
export function besideOurselves(checkouts: readonly Checkout[]): Contender[] {
  return checkouts.flatMap(bothKinds)
}

function bothKinds(checkout: Checkout): Contender[] {
  return [sticky(checkout, 'sticky'), sticky(checkout, 'sticky-pair')]
}

import { loadRow } from './load.ts'
import type { Row } from './row.ts'

/** Every request begins a session; the pairs make it known to both of their nodes. */
export const newSession: Row = loadRow({
  id: 'new-session',
  title: 'New session',
  path: '/',
  sessions: 'new',
  kinds: [
    'sticky-pair',
    'haproxy-peers',
    'sticky',
    'haproxy-table',
    'haproxy-insert',
    'nginx',
    'caddy',
    'http-proxy',
    'fastify-http-proxy',
  ],
  reference: 'haproxy-peers',
})

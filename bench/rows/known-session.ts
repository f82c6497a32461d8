import { loadRow } from './load.ts'
import type { Row } from './row.ts'

/** The everyday request: ten thousand sessions in rotation, each known to the proxy. */
export const knownSession: Row = loadRow({
  id: 'known-session',
  title: 'Known session',
  path: '/',
  sessions: 'known',
  kinds: ['sticky', 'haproxy-insert', 'haproxy-table', 'nginx', 'caddy', 'http-proxy', 'fastify-http-proxy'],
  reference: 'haproxy-insert',
})

import { loadRow } from './load.ts'
import type { Row } from './row.ts'

/** An application that renews its session cookie with each response, as express-session does with `rolling`. */
export const rollingCookie: Row = loadRow({
  id: 'rolling-cookie',
  title: 'Known session, the application renews its cookie with each response',
  path: '/rolling',
  sessions: 'known',
  kinds: ['sticky', 'haproxy-insert', 'haproxy-table', 'nginx', 'caddy', 'http-proxy', 'fastify-http-proxy'],
  reference: 'haproxy-insert',
})

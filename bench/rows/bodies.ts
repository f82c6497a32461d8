import { loadRow } from './load.ts'
import type { Row } from './row.ts'

const reference = 'haproxy-insert'
const kinds = ['sticky', 'haproxy-insert', 'nginx', 'caddy', 'http-proxy', 'fastify-http-proxy'] as const

/** Response bodies of a usual page. */
export const body64k: Row = loadRow({
  id: '64k',
  title: 'Known session, 64 KiB body',
  path: '/64k',
  sessions: 'known',
  kinds,
  reference,
})

/** Response bodies of a usual picture. */
export const body1m: Row = loadRow({
  id: '1m',
  title: 'Known session, 1 MiB body',
  path: '/1m',
  sessions: 'known',
  kinds,
  reference,
})

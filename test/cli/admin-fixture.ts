import { type AdminApi, apiVersion, type SessionResource } from '@sticky/proxy/admin-api'

import type { AdminConfig } from '../../packages/proxy/src/config/config.ts'
import { type AdminServer, openAdminServer } from '../../packages/proxy/src/control/admin-server.ts'
import { adminSubject } from '../../packages/proxy/src/control/fixtures.test-support.ts'

/** The node's own admin server on a free port, over an API of the test's. */
export async function adminServer(api: Partial<AdminApi>, config: Partial<AdminConfig> = {}): Promise<AdminServer> {
  const address = { host: '127.0.0.1', port: 0 }
  return await openAdminServer({ address, token: undefined, ...config }, adminSubject(api))
}

/** A session of pool shop that began 14 minutes ago. */
export function session(id: string, backend = 'a'): SessionResource {
  const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
  const ages = { created: ago(14), touched: ago(1), idle: 60, age: 1800, expires: ago(-29), ends: null }
  return {
    apiVersion,
    id,
    pool: 'shop',
    backend,
    version: 1,
    source: 'session-cookie',
    cookies: 1,
    ...ages,
    endsWithLastCookie: false,
  }
}

/** The nth session id. */
export function idOf(n: number): string {
  return String(n).padStart(22, '0')
}

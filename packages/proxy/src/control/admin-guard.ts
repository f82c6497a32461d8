import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

import type { AdminConfig } from '../config/config.ts'
import { AdminProblem } from './admin-api.ts'

/**
 * Says why a request may not be answered; undefined: it may. With a token, only the token counts. Without one the address is
 * loopback or a socket, and a browser must not be talked into asking: neither by a foreign page nor under a foreign name.
 */
export function adminGuard(config: AdminConfig): (headers: IncomingHttpHeaders) => AdminProblem | undefined {
  if (config.token !== undefined) return bearerGuard(config.token)
  return 'socket' in config.address ? foreignOrigin : (headers) => foreignHost(headers) ?? foreignOrigin(headers)
}

function bearerGuard(token: string): (headers: IncomingHttpHeaders) => AdminProblem | undefined {
  const expected = digest(token)
  return ({ authorization = '' }) => {
    const presented = /^bearer +(.*)$/i.exec(authorization)?.[1] ?? ''
    if (timingSafeEqual(digest(presented), expected)) return undefined
    return new AdminProblem('unauthorized', 'a valid bearer token is required')
  }
}

// Of equal length whatever was presented, so that comparing tells nothing.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

// A name that resolves to loopback lets a page of that name ask as if it were ours (DNS rebinding).
function foreignHost({ host = '' }: IncomingHttpHeaders): AdminProblem | undefined {
  if (loopbackHost.test(host)) return undefined
  return new AdminProblem('foreign-host', 'Host must be localhost or a loopback address')
}

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

function foreignOrigin({ origin, host, ...headers }: IncomingHttpHeaders): AdminProblem | undefined {
  const isOurs = origin === undefined || origin === `http://${host}`
  // A page may ask for images of anywhere, and browsers tell no origin then.
  const isEmbedded = /^(cross|same)-site$/.test(String(headers['sec-fetch-site']))
  if (isOurs && !isEmbedded) return undefined
  return new AdminProblem('foreign-origin', 'requests from other origins are refused')
}

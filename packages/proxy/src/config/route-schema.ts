import type { ZodType } from 'zod'

import type { RouteConfig } from './config.ts'
import { map, optional } from './schema-shapes.ts'
import { host, id, path } from './schema-values.ts'

/** One route. */
export const routeSchema: ZodType<RouteConfig> = map({
  host: optional(host).describe(
    '`shop.example.com`, or `*.example.com` for every depth of subdomain; without port. All by default.',
  ),
  path: optional(path).describe('`/x` for exactly that, `/x/*` for that and all below it. All by default.'),
  pool: id.describe('The pool that serves it.'),
})

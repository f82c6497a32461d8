import * as z from 'zod'

import type { PathConfig, RouteConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { list, map, oneOf, optional } from './schema-shapes.ts'
import { cookieName, host, id, path, pattern } from './schema-values.ts'

const hosts = z
  .union([host, list(host, 'must be a host or a list of hosts', 1)], { error: 'must be a host or a list of hosts' })
  .transform((given) => [given].flat())

const pathMap: z.ZodType<PathConfig> = map({
  path: path.describe('As it would stand in the list by itself.'),
  cookie: optional(cookieName).describe(
    'The cookie that carries session ids there, for `clone-id`. By default the strategy’s.',
  ),
  parameter: optional(cookieName).describe('The path parameter that does. By default the strategy’s.'),
})
const pathItem = z.union([path, pathMap], { error: 'must be a path, or a map such as { path: /x/*, cookie: NAME }' })
const pathsExpectation = 'must be a path or a list of paths'
const paths = z
  .union([path, list(pathItem, pathsExpectation, 1)], { error: pathsExpectation })
  .transform((given) => [given].flat().map(pathConfig))

/** One route. */
export const routeSchema: z.ZodType<RouteConfig> = map({
  host: optional(hosts).describe(
    '`shop.example.com`, `*.example.com` for every depth of subdomain, `[::1]` or `*`, each perhaps with a port (`*:9080`); or a list of these. Without a port: any. All by default.',
  ),
  path: optional(paths).describe(
    '`/x` for exactly that, `/x/*` for that and all below it, `*.jsp` or `/x/*.jsp` for all that end so; or a list of these, each perhaps a map. All by default.',
  ),
  pattern: optional(pattern).describe(
    'A regular expression (RE2) that is found somewhere in the request target, query included. Host and path must match, too.',
  ),
  pool: id.describe('The pool that serves it.'),
  backends: optional(list(id, 'must be a list of backend ids', 1)).describe(
    'The only backends of the pool that get newcomers of this route; sessions go home wherever that is. All by default.',
  ),
  whenDrained: oneOf(['refuse', 'next'])
    .prefault(defaults.whenDrained)
    .describe(
      'When these backends all have weight 0, a newcomer is refused with 503, or left to the `next` route that matches.',
    ),
})

function pathConfig(given: string | PathConfig): PathConfig {
  return typeof given === 'string' ? { path: given, cookie: undefined, parameter: undefined } : given
}

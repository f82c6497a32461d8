import * as z from 'zod'

import type { BackendCheckConfig, HealthCheckConfig, StatusRange } from './config.ts'
import { defaults } from './defaults.ts'
import { hostFieldExpectation, parseHostField } from './host.ts'
import { parseProbePath, probePathExpectation } from './path.ts'
import { parseBodyPattern } from './pattern.ts'
import { parsePercent, percentExpectation, percentPattern } from './percent.ts'
import { list, map, oneOf, optional, text, whole } from './schema-shapes.ts'
import { duration } from './schema-values.ts'
import { parseStatuses, statusesExpectation, statusesPattern } from './statuses.ts'

/** A share. */
export const percent: z.ZodType<number, string> = text(percentExpectation, parsePercent, percentPattern)

const oneStatus = z
  .int({ error: statusesExpectation })
  .min(100, { error: statusesExpectation })
  .max(599, { error: statusesExpectation })
  .transform((status): StatusRange => ({ from: status, to: status }))

const statusRange = z.union([oneStatus, text(statusesExpectation, parseStatuses, statusesPattern)], {
  error: statusesExpectation,
})

/** A list of statuses. */
export const statuses: z.ZodType<StatusRange[]> = list(statusRange, 'must be a list of statuses such as [200-399]')

const probePath = text(probePathExpectation, parseProbePath)

const contents = map({
  type: optional(oneOf(['http', 'tcp'])).describe(
    '`http`: a request is answered as it should be; `tcp`: a connection is accepted. By default `http` where there is a `path`, else `tcp`.',
  ),
  path: optional(probePath).describe('What is asked for, with a query if need be. By default `/`.'),
  method: oneOf(['GET', 'HEAD', 'OPTIONS', 'POST'])
    .prefault(defaults.healthCheck.method)
    .describe('How it is asked for.'),
  host: optional(text(hostFieldExpectation, parseHostField)).describe(
    'The Host that the backend sees. By default its own.',
  ),
  status: statuses
    .prefault([...defaults.healthCheck.status])
    .describe('The statuses of a backend that is well: `204`, `2xx` or `200-399`, any of these.'),
  body: optional(text('must be a regular expression such as "ok|ready"', parseBodyPattern)).describe(
    'A regular expression of RE2’s that is found in the first 64 KiB of a good answer’s body.',
  ),
  interval: duration.prefault(defaults.healthCheck.interval).describe('From the end of one check to the next.'),
  timeout: duration
    .prefault(defaults.healthCheck.timeout)
    .describe('The longest that a check may take, from the connection to the last byte that is read.'),
  rise: whole(1, 100)
    .prefault(defaults.healthCheck.rise)
    .describe('So many good checks in a row bring a backend back.'),
  fall: whole(1, 100).prefault(defaults.healthCheck.fall).describe('So many bad checks in a row take it out.'),
  jitter: percent
    .prefault(defaults.healthCheck.jitter)
    .describe('By so much each interval is longer or shorter, at random, so that nodes do not check at once.'),
  initially: oneOf(['up', 'down'])
    .prefault(defaults.healthCheck.initially)
    .describe('What a backend is before its first check has ended; with `down` one good check is enough then.'),
})

/** How the backends of a pool are asked whether they are well. */
export const healthCheck: z.ZodType<HealthCheckConfig> = contents.transform(({ type, path, ...rest }) => ({
  type: type ?? (path === undefined ? 'tcp' : 'http'),
  path: path ?? '/',
  ...rest,
}))

/** What is different for one backend. */
export const backendCheck: z.ZodType<BackendCheckConfig> = map({
  path: optional(probePath).describe('What is asked for here.'),
  port: optional(whole(1, 65_535)).describe('Where it is asked: a port of the same host.'),
}).prefault({})

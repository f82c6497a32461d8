import * as z from 'zod'

import type { BackendConfig, BackendTlsConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { backendCheck } from './health-schema.ts'
import { cloneIdExpectation } from './names.ts'
import { flag, list, map, optional, whole } from './schema-shapes.ts'
import { cloneId, duration, id, origin, ownPrefix, pemFile, serverName } from './schema-values.ts'

const timeouts = map({
  connect: optional(duration).describe('For a connection to this backend. By default the pool’s.'),
  response: optional(duration).describe('For the head of its answer. By default the pool’s.'),
})

const tls = map({
  ca: optional(pemFile).describe('A PEM file with the authorities that vouch for it, instead of the usual ones.'),
  serverName: optional(serverName).describe(
    'The name its certificate must have, which it is told, too. By default its host name.',
  ),
  insecure: optional(flag()).describe(
    '`true`: believe whoever answers. Anybody on the way can then read and change all.',
  ),
  cert: optional(pemFile).describe('A PEM file with a certificate to show it, where it asks for one, with its chain.'),
  key: optional(pemFile).describe('A PEM file with the key of that, without a passphrase.'),
})

/** What is to be known of backends over TLS. */
export const backendTls: z.ZodType<BackendTlsConfig> = tls.prefault({})

const instance = z.union([z.literal(false), cloneId], { error: `${cloneIdExpectation}, or false for none` })

const contents = map({
  id: id.describe('Its name in sessions, logs and metrics. Keep it when the address changes: sessions follow the id.'),
  url: origin.describe('Scheme, host and port; a name is looked up at each new connection.'),
  weight: whole(0, 1000)
    .prefault(defaults.weight)
    .describe('Its share of newcomers, relative to the others. At 0 it keeps its sessions and gets no newcomers.'),
  cloneIds: optional(list(cloneId, 'must be a list of clone ids such as [v544d0o0], or [] for none')).describe(
    'What the application’s session ids call it, for `clone-id`; `[]`: it has no sessions of its own. By default its id.',
  ),
  backup: flag()
    .prefault(defaults.backup)
    .describe(
      'It gets newcomers only while none of the others can take them; of several the first in the order written. Sessions that began on it stay.',
    ),
  maxConnections: optional(whole(1, 1_000_000)).describe(
    'The most exchanges in flight on it, counted over the whole cluster; beyond that even its own sessions go elsewhere. No limit by default.',
  ),
  timeouts: timeouts.prefault({}).describe('What this backend may take longer or shorter for than the others.'),
  tls: backendTls.describe('For an `https://` url, where it differs from its pool’s.'),
  healthCheck: backendCheck.describe('Where this backend’s health check differs from its pool’s.'),
  instance: optional(instance).describe(
    'What `companion-cookie` and `instance-cookie` call it in their cookies; `false`: they never name it. By default its id.',
  ),
  prefix: optional(ownPrefix).describe(
    'What the paths of its sessions begin with, such as `/GAS1`, for `instance-path`.',
  ),
})

/** One backend of a pool. */
export const backendSchema: z.ZodType<BackendConfig> = contents.transform((given) => ({
  ...given,
  cloneIds: given.cloneIds ?? [given.id],
  instance: given.instance === false ? undefined : (given.instance ?? given.id),
}))

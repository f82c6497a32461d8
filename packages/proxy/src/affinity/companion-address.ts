import type { InstanceNames } from './instance-names.ts'

/** What a request's address header comes to: the id of a backend, an instance that is not there, or nonsense. */
export type Addressed = { readonly backend: string } | 'unknown' | 'malformed'

/** Reads `POOL:INSTANCE` or `INSTANCE`; instances may have colons of their own, as gorouter's `GUID:INDEX` has. */
export function readAddress(text: string, pool: string, names: InstanceNames): Addressed {
  if (!addressPattern.test(text)) return 'malformed'
  const instance = text.startsWith(`${pool}:`) ? text.slice(pool.length + 1) : text
  return names.read(text) ?? names.read(instance) ?? 'unknown'
}

// Something, and with a colon something on either side of it.
const addressPattern = /^[!-9;-~](?:[!-~]{0,254}[!-9;-~])?$/

import type { Pems } from '../upstream/pems.ts'

/** What a node's workers need for TLS; plain data, so that it can cross processes. */
export interface TlsSecrets {
  readonly pems: Pems
  /** 48 bytes that seal the session tickets of clients; empty where no listener speaks TLS. The last is in use. */
  readonly ticketKey: Uint8Array
}

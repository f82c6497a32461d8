import type { PemFiles, PemTexts } from '../config/config.ts'

/** What a worker shows its clients over TLS, and what it seals their tickets with. */
export interface TlsSecrets {
  /** What these files hold, as of when they could last be used. */
  pemsOf(files: Partial<PemFiles>): PemTexts | undefined
  /** 48 bytes, the same in all workers of a node. */
  readonly ticketKey: Uint8Array
}

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { KeyPairConfig, PemTexts } from '../config/config.ts'
import { pemId } from '../config/pem.ts'
import type { TlsSecrets } from './tls-secrets.ts'

/**
 * Certificates that nobody else uses, each with the one between it and `authority.pem`: `shop` for shop.example.com and
 * *.shop.example.com, `renewed` for the same, `blog` for blog.example.com, `local` for localhost and 127.0.0.1, `client`, and
 * `expired` for shop.example.com.
 */
export type TestCertificate = 'shop' | 'renewed' | 'blog' | 'local' | 'client' | 'expired'

/** Where a file of theirs is: `shop.cert.pem`, `shop.key.pem`, `authority.pem`, or `encrypted.key.pem`, which is that of `shop`. */
export function certificateFile(name: string): string {
  return fileURLToPath(new URL(`./fixtures/test-only.${name}`, import.meta.url))
}

/** Its text. */
export function certificateText(name: string): string {
  return readFileSync(certificateFile(name), 'utf8')
}

/** What a listener with that certificate is configured with. */
export function keyPair(name: TestCertificate): KeyPairConfig {
  return { cert: certificateFile(`${name}.cert.pem`), key: certificateFile(`${name}.key.pem`) }
}

/** A certificate and its key as they are read. */
export function keyPairTexts(name: TestCertificate): PemTexts {
  return { ca: undefined, cert: certificateText(`${name}.cert.pem`), key: certificateText(`${name}.key.pem`) }
}

/** What workers need to show these; `as` has others in their place. */
export function tlsSecrets(
  names: readonly TestCertificate[],
  as: Readonly<Partial<Record<TestCertificate, TestCertificate>>> = {},
  ticketKey: Uint8Array = new Uint8Array(48),
): TlsSecrets {
  const pems = new Map(names.map((name) => [pemId(keyPair(name)), keyPairTexts(as[name] ?? name)]))
  return { pemsOf: (files) => pems.get(pemId(files)), ticketKey }
}

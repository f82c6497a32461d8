import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

import type { PemFiles, PemTexts } from './config.ts'

/** What is wrong with one of those files and what would be right, as the predicate of a sentence. */
export class PemFlaw {
  readonly part: keyof PemFiles
  readonly problem: string

  constructor(part: keyof PemFiles, problem: string) {
    this.part = part
    this.problem = problem
  }
}

/** Names a set of files. */
export function pemId({ ca = '', cert = '', key = '' }: Partial<PemFiles>): string {
  return `${ca}\n${cert}\n${key}`
}

/** The texts of the files, which fit together, or what is wrong with the first that does not. */
export function readPem(files: PemFiles): PemTexts | PemFlaw {
  const texts: { -readonly [Part in keyof PemTexts]: PemTexts[Part] } = {
    ca: undefined,
    cert: undefined,
    key: undefined,
  }
  for (const part of ['ca', 'cert', 'key'] as const) {
    const file = files[part]
    if (file === undefined) continue
    const text = read(file)
    if (typeof text !== 'string') return new PemFlaw(part, text.problem)
    texts[part] = text
  }
  return flawIn(files, texts) ?? texts
}

/** The certificates of a text, in their order; throws where one cannot be read. */
export function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

function read(file: string): string | { problem: string } {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    return { problem: `must be a file that can be read; ${file} cannot (${(error as NodeJS.ErrnoException).code})` }
  }
}

function flawIn(files: PemFiles, { ca, cert, key }: PemTexts): PemFlaw | undefined {
  if (ca !== undefined && !hasCertificates(ca)) return notCertificates('ca', files.ca)
  if (cert !== undefined && !hasCertificates(cert)) return notCertificates('cert', files.cert)
  return key === undefined ? undefined : flawInKey(key, cert, files)
}

function hasCertificates(text: string): boolean {
  try {
    return certificatesIn(text).length > 0
  } catch {
    return false
  }
}

function notCertificates(part: 'ca' | 'cert', file: string | undefined): PemFlaw {
  return new PemFlaw(
    part,
    `must be a PEM file of certificates, as openssl x509 -in FILE -inform der makes one of another; ${file} is none`,
  )
}

function flawInKey(text: string, cert: string | undefined, { key: file }: PemFiles): PemFlaw | undefined {
  const key = privateKey(text)
  if (key === 'encrypted')
    return new PemFlaw(
      'key',
      `must be without a passphrase, which nobody could tell at a restart; openssl pkey -in ${file} -out FILE takes it away`,
    )
  if (key === undefined) return new PemFlaw('key', `must be a PEM file with a private key; ${file} is none`)
  const fits = cert === undefined || certificatesIn(cert)[0]!.checkPrivateKey(key)
  return fits
    ? undefined
    : new PemFlaw('key', `must be the key of the first certificate in cert; that in ${file} is another’s`)
}

function privateKey(text: string): KeyObject | 'encrypted' | undefined {
  // RFC 5958 3, RFC 1421 4.6.1.1.
  if (/^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)/m.test(text)) return 'encrypted'
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

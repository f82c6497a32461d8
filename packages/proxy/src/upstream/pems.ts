import type { PemFiles } from '../config/config.ts'

/** What certificates and keys are in use: texts of PEM files. */
export interface PemTexts {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** The texts of all files a configuration names, by `pemId`. */
export type Pems = ReadonlyMap<string, PemTexts>

/** Names a set of files. */
export function pemId({ ca = '', cert = '', key = '' }: Partial<PemFiles>): string {
  return `${ca}\n${cert}\n${key}`
}

import { randomBytes, type X509Certificate } from 'node:crypto'

import type { Milliseconds } from '@sticky/store'

import type { Config, PemFiles, PemTexts } from '../config/config.ts'
import { fileSignature } from '../config/file-signature.ts'
import { certificatesIn, PemFlaw, pemId, readPem } from '../config/pem.ts'
import { pemFilesOf } from '../config/pem-files.ts'
import { unfitness } from '../traffic/tls-listener.ts'
import type { Log } from './log.ts'
import { StartFailure } from './start-failure.ts'

/** What workers need for TLS; plain data, so that it can cross processes. */
export interface NodeSecrets {
  /** What PEM files hold, by `pemId`. */
  readonly pems: ReadonlyMap<string, PemTexts>
  /** 48 bytes that session tickets are sealed with. */
  readonly ticketKey: Uint8Array
}

/** How often files are looked at; polling sees what links, mounts and editors do alike. */
const interval: Milliseconds = 1_000

/** Whoever learns a ticket key can read the TLS 1.2 connections that were resumed with it. */
const ticketLife: Milliseconds = 12 * 3_600_000

/** A set of files in use. */
interface Held {
  readonly files: PemFiles
  texts: PemTexts
  /** How the files were when they were read last. */
  readAs: string
  /** How they were a moment ago: what goes on changing is not read yet. */
  seenAs: string
}

/**
 * The certificates and keys of a node, read anew when their files change; what cannot be used is refused, and what was there
 * stays. Also the key of session tickets, another one from time to time.
 */
export class Certificates implements Disposable {
  readonly #log: Log
  readonly #changed: (secrets: NodeSecrets) => void
  readonly #held = new Map<string, Held>()
  #look: NodeJS.Timeout | undefined
  #renewal: NodeJS.Timeout | undefined
  #ticketKey: Uint8Array = randomBytes(48)

  /** `changed` takes what workers are to use from now on. */
  constructor(log: Log, changed: (secrets: NodeSecrets) => void) {
    this.#log = log
    this.#changed = changed
  }

  get secrets(): NodeSecrets {
    return {
      pems: new Map(Array.from(this.#held, ([id, { texts }]) => [id, texts])),
      ticketKey: this.#ticketKey,
    }
  }

  /** Begins to look after the files of a configuration; throws StartFailure where one cannot be used. */
  async open(config: Config): Promise<void> {
    await this.add(config)
    this.#lookSoon()
    this.#renewal = setInterval(() => this.#renew(), ticketLife).unref()
  }

  /** Takes in what another configuration names besides; throws StartFailure, and takes nothing, where it cannot be used. */
  async add(config: Config): Promise<void> {
    const added = new Map<string, Held>()
    for (const files of pemFilesOf(config)) {
      const id = pemId(files)
      if (!this.#held.has(id)) added.set(id, await held(files))
    }
    for (const [id, each] of added) {
      this.#held.set(id, each)
      this.#warnOfAge(each)
    }
    if (added.size > 0) this.#changed(this.secrets)
  }

  /** Forgets what a configuration does not name. */
  keep(config: Config): void {
    const named = new Set(pemFilesOf(config).map(pemId))
    for (const id of this.#held.keys()) if (!named.has(id)) this.#held.delete(id)
  }

  #lookSoon(): void {
    this.#look = setTimeout(async () => {
      await this.look()
      if (this.#look !== undefined) this.#lookSoon()
    }, interval).unref()
  }

  /** Reads what has changed and is quiet since the last look. */
  async look(): Promise<void> {
    let changed = false
    for (const each of this.#held.values()) if (await this.#isRenewed(each)) changed = true
    if (changed) this.#changed(this.secrets)
  }

  async #isRenewed(each: Held): Promise<boolean> {
    const seen = await signature(each.files)
    const quiet = seen === each.seenAs
    each.seenAs = seen
    if (seen === each.readAs || !quiet) return false
    each.readAs = seen
    const texts = usable(each.files)
    if (typeof texts === 'string') {
      this.#log.error({ ...told(each), reason: texts }, 'certificate refused')
      return false
    }
    if (isSame(texts, each.texts)) return false
    each.texts = texts
    this.#log.info(told(each), 'certificate replaced')
    this.#warnOfAge(each)
    return true
  }

  #renew(): void {
    this.#ticketKey = randomBytes(48)
    this.#changed(this.secrets)
    for (const each of this.#held.values()) this.#warnOfAge(each)
  }

  #warnOfAge(each: Held): void {
    const leaf = each.texts.cert === undefined ? undefined : certificatesIn(each.texts.cert)[0]
    if (leaf !== undefined && isExpired(leaf)) this.#log.warn(told(each), 'certificate expired')
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#look)
    this.#look = undefined
    clearInterval(this.#renewal)
  }
}

async function held(files: PemFiles): Promise<Held> {
  const as = await signature(files)
  const texts = usable(files)
  if (typeof texts === 'string') throw new StartFailure(texts)
  return { files, texts, readAs: as, seenAs: as }
}

/** What the files hold, or why that cannot be used. */
function usable(files: PemFiles): PemTexts | string {
  const texts = readPem(files)
  if (texts instanceof PemFlaw) return `${files[texts.part]} ${texts.problem}`
  const reason = unfitness(texts)
  return reason === undefined ? texts : `${files.cert ?? files.ca} cannot be used: ${reason}`
}

/** Another text whenever one of the files is another one. */
async function signature({ ca, cert, key }: PemFiles): Promise<string> {
  const parts = [ca, cert, key].filter((file) => file !== undefined)
  const each = await Promise.all(parts.map(fileSignature))
  return each.map((found) => found ?? '-').join('\n')
}

function isSame(a: PemTexts, b: PemTexts): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key
}

function isExpired({ validToDate }: X509Certificate): boolean {
  return validToDate.getTime() < Date.now()
}

/** What a log line tells of a set. */
function told({ files, texts }: Held): object {
  const leaf = texts.cert === undefined ? undefined : certificatesIn(texts.cert)[0]
  const facts = leaf && { names: leaf.subjectAltName, expires: leaf.validToDate.toISOString() }
  return { cert: files.cert, ...(files.ca && { ca: files.ca }), ...facts }
}

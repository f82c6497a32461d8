import { readFile } from 'node:fs/promises'
import type { Milliseconds } from '@sticky/store'

import { fileSignature } from './file-signature.ts'

/** How often a file is looked at: polling sees what editors, links and mounts do alike, where watching misses some of it. */
const interval: Milliseconds = 150

/** Tells of each version of a file: a text it did not have, once it is left alone from one look to the next. */
export class FileWatch implements AsyncDisposable {
  readonly #file: string
  readonly #changed: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  /** How the file was at the last look, and when it was read. */
  #seenAs: string | undefined
  #readAs: string | undefined
  #text: string | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  /** The next version is told when what `changed` answers resolves. */
  constructor(file: string, changed: () => Promise<void>) {
    this.#file = file
    this.#changed = changed
  }

  /** Begins to watch; a change from now on is told. */
  async open(): Promise<void> {
    this.#readAs = await fileSignature(this.#file)
    this.#seenAs = this.#readAs
    this.#text = await this.#read()
    if (!this.#isClosed) this.#lookSoon()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #lookSoon(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
    }, interval).unref()
  }

  async #look(): Promise<void> {
    const seen = await fileSignature(this.#file)
    const isQuiet = seen === this.#seenAs
    this.#seenAs = seen
    if (isQuiet && seen !== this.#readAs) await this.#compare(seen)
    if (!this.#isClosed) this.#lookSoon()
  }

  /** A file that is gone is on its way to be replaced. */
  async #compare(seen: string | undefined): Promise<void> {
    const text = await this.#read()
    if (text === undefined) return
    this.#readAs = seen
    if (text === this.#text || this.#isClosed) return
    this.#text = text
    await this.#changed()
  }

  async #read(): Promise<string | undefined> {
    return readFile(this.#file, 'utf8').catch(() => undefined)
  }
}

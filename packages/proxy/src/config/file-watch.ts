import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Milliseconds } from '@sticky/store'

/** Editors write in several steps; this long after the last one a file is whole. */
const quiet: Milliseconds = 100

/** Who wants to know of a file's versions. */
export interface FileReader {
  /** The file's text is another one now. The next is told when this resolves. */
  changed(): Promise<void>
  /** The file cannot be watched: it stays what it is. */
  unwatched(error: unknown): void
}

/** Watches a file by its folder, since editors and deployments put a new file, or a new link, in the old one's place. */
export class FileWatch implements AsyncDisposable {
  readonly #file: string
  readonly #reader: FileReader
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  #text: string | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(file: string, reader: FileReader) {
    this.#file = file
    this.#reader = reader
  }

  /** Begins to watch; a change from now on is told. */
  async open(): Promise<void> {
    this.#text = await this.#read()
    try {
      this.#watcher = watch(dirname(this.#file), { persistent: false }, (_, name) => this.#hear(name))
      this.#watcher.on('error', (error) => this.#reader.unwatched(error))
    } catch (error) {
      this.#reader.unwatched(error)
    }
  }

  async close(): Promise<void> {
    this.#watcher?.close()
    clearTimeout(this.#timer)
    await this.#telling
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #hear(name: string | null): void {
    // Kubernetes keeps what it mounts behind a link `..data`, and puts another in its place.
    if (name === null || name === basename(this.#file) || name.startsWith('..')) this.#wait()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#telling = this.#telling.then(() => this.#compare())
    }, quiet).unref()
  }

  async #compare(): Promise<void> {
    const text = await this.#read()
    // A file that is gone is on its way to be replaced.
    if (text === undefined || text === this.#text) return
    this.#text = text
    await this.#reader.changed()
  }

  async #read(): Promise<string | undefined> {
    return readFile(this.#file, 'utf8').catch(() => undefined)
  }
}

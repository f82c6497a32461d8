import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Where a command's words go: data to stdout, messages to stderr. */
export interface Output {
  /** For programs or for people. */
  readonly format: 'json' | 'text'
  readonly color: boolean
  /** Writes data; keeps the caller waiting while the reader is slower. */
  print(text: string): Promise<void>
  /** Writes one sentence beside the data. */
  note(sentence: string): void
}

/** An output over two streams. */
export function outputTo(data: Writable, messages: Writable, format: Output['format'], color: boolean): Output {
  return {
    format,
    color,
    async print(text) {
      if (!data.write(text)) await once(data, 'drain')
    },
    note(sentence) {
      messages.write(`sticky-cli: ${visible(sentence)}\n`)
    },
  }
}

/** Prints a document whole for programs, or the text made of it for people. */
export async function printDocument(output: Output, document: unknown, text: () => string): Promise<void> {
  await output.print(output.format === 'json' ? jsonLine(document) : text())
}

/** A value as one line of JSON that no terminal takes for a command: JSON itself leaves DEL and C1 as they are. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(/[\x7f-\x9f]/g, (c) => `\\u${hex(c, 4)}`)}\n`
}

/** Text that may come from an application or a client, with control characters made visible. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals obey them, so they are what must go
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${hex(c, 2)}`)
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}

/** One message as a reader understood it, in a shape that two readers can be compared by. */
export interface MessageRead {
  /** Method and target, or status and reason. */
  readonly start: readonly [string, string]
  /** undefined where a reader does not tell. */
  readonly minorVersion: number | undefined
  /** Name, value, name, value …. */
  readonly fields: readonly string[]
  body: string
  trailers: readonly string[]
  complete: boolean
  /** Where the bytes of another protocol begin, for a message that switches to one. */
  switchedAt: number | undefined
}

/** What a reader made of a connection's bytes. */
export interface Reading {
  readonly messages: readonly MessageRead[]
  /** Why it read no further; undefined if nothing was wrong. */
  readonly refusal: string | undefined
  /** Part of a message was read, and the bytes were over. */
  readonly unfinished: boolean
}

/** Trailer lines as name, value, name, value …. */
export function trailerFields(lines: string): string[] {
  return lines
    .split('\r\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]
    })
}

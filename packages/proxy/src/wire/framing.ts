import { Malformed } from './malformed.ts'

/** How a body's end is told: its length in bytes, or one of the two constants below (RFC 9112 6). */
export type Framing = number
export const CHUNKED: Framing = -1
/** A response without length or chunks: it ends with the connection. */
export const UNTIL_CLOSE: Framing = -2

const DIGITS = /^[0-9]{1,16}$/

/** A Content-Length field's value; RFC 9110 8.6: 1*DIGIT and nothing else, here also below 2^53. */
export function parseLength(value: string): number | Malformed {
  if (!DIGITS.test(value)) return Malformed.lengthInvalid
  const length = Number(value)
  return Number.isSafeInteger(length) ? length : Malformed.lengthInvalid
}

/** A Transfer-Encoding field's value: `chunked` to the letter, or why not. */
export function faultOfCoding(value: string): Malformed | undefined {
  if (value === 'chunked') return undefined
  return /^[a-z-]+$/i.test(value) && value.toLowerCase() !== 'chunked'
    ? Malformed.codingUnknown
    : Malformed.codingInvalid
}

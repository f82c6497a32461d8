import { Malformed } from './malformed.ts'

/** How a body's end is told: its length in bytes, or one of the two constants below (RFC 9112 6). */
export type Framing = number
export const CHUNKED: Framing = -1
/** A response without length or chunks: it ends with the connection. */
export const UNTIL_CLOSE: Framing = -2

const DIGITS = /^[0-9]{1,16}$/

/** A Content-Length field's value; RFC 9110 8.6: 1*DIGIT and nothing else, here also below 2^53. */
function parseLength(value: string): number | Malformed {
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

/** A head's framing fields as they are read, judged together when all are. */
export interface FramingFields {
  length: number | undefined
  coding: string | undefined
}

/** Reads a Content-Length field into a head; a second one is refused, equal or not. */
export function readLength(head: FramingFields, value: string): Malformed | undefined {
  if (head.length !== undefined) return Malformed.lengthRepeated
  const length = parseLength(value)
  if (length instanceof Malformed) return length
  head.length = length
  return undefined
}

/** Reads a Transfer-Encoding field into a head; `padded` tells that white space follows its value. */
export function readCoding(head: FramingFields, value: string, padded: boolean): Malformed | undefined {
  if (head.coding !== undefined) return Malformed.codingRepeated
  // Node takes `chunked` with a tab after it for another coding; no one sends it in good faith.
  if (padded) return Malformed.codingInvalid
  head.coding = value
  return undefined
}

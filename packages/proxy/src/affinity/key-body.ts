import type { ResponseHead } from '../wire/response-head.ts'

/** How much of a body is listened to, in bytes. */
const LONGEST = 4096

/** The beginning of a body's first piece, in latin-1 like all that comes from the wire. */
export function beginningOf(piece: Buffer): string {
  return piece.toString('latin1', 0, Math.min(piece.length, LONGEST))
}

const TEXT = /^(text\/|application\/([\w.+-]*[+.-])?(json|xml|javascript|x-www-form-urlencoded)\b)/i

/** Is the body text as it stands, of an answer that says yes? */
export function isReadable(response: ResponseHead): boolean {
  if (response.status < 200 || response.status > 299) return false
  const coding = response.header('content-encoding')
  const isPlain = coding === undefined || coding.toLowerCase() === 'identity'
  return isPlain && TEXT.test(response.header('content-type') ?? '')
}

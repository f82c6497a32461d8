import { Flaw } from './flaw.ts'

// A shorter one could be guessed from a single sealed cookie.
const shortest = 16

/** What a secret looks like, for people. */
export const secretExpectation: string = `must have at least ${shortest} characters; make one with: openssl rand -base64 32`

/** A secret that cannot be guessed, as far as its length tells. */
export function parseSecret(text: string): string | Flaw {
  return text.length >= shortest ? text : new Flaw(secretExpectation)
}

/** A bearer token: a secret that a header can carry. */
export function parseToken(text: string): string | Flaw {
  return /^[!-~]*$/.test(text) ? parseSecret(text) : new Flaw('must be without spaces and characters beyond ASCII')
}

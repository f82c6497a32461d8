import { Flaw } from './flaw.ts'

/** What pools, backends and nodes are called. */
export const idPattern: RegExp = /^[A-Za-z0-9._-]{1,64}$/

/** What an id looks like, for people. */
export const idExpectation = 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ - (in quotes if it looks like a number)'

/** RFC 9110's token: what a cookie may be called. */
export const tokenPattern: RegExp = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

/** What a cookie's name looks like, for people. */
export const cookieNameExpectation = "must be a cookie name: letters, digits and any of !#$%&'*+.^_`|~-"

/** The name of a pool, backend or node. */
export function parseId(text: string): string | Flaw {
  return idPattern.test(text) && text !== '__proto__' ? text : new Flaw(idExpectation)
}

/** An application's cookie name. */
export function parseCookieName(text: string): string | Flaw {
  return tokenPattern.test(text) ? text : new Flaw(cookieNameExpectation)
}

/** Our own cookie's name, without the prefix that browsers give a meaning. */
export function parseOwnCookieName(text: string): string | Flaw {
  const [whole = '', prefix] = /^__(Host|Secure)-/i.exec(text) ?? []
  if (!prefix) return parseCookieName(text)
  return new Flaw('must be without its prefix', `${text.slice(whole.length)} with prefix: ${prefix.toLowerCase()}`)
}

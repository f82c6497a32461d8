import { METHODS } from 'node:http'

import { isOwnedField } from '../wire/request-head.ts'
import { Flaw } from './flaw.ts'

/** What pools, backends and nodes are called. */
export const idPattern: RegExp = /^[A-Za-z0-9._-]{1,64}$/

/** What an id looks like, for people. */
export const idExpectation = 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ - (in quotes if it looks like a number)'

/** RFC 9110's token: what a cookie may be called. */
export const tokenPattern: RegExp = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

/** What a cookie's name looks like, for people. */
export const cookieNameExpectation = "must be a cookie name: letters, digits and any of !#$%&'*+.^_`|~-"

/** What a clone id looks like, for people. */
export const cloneIdExpectation = 'must be 1 to 128 visible characters other than " , ; and backslash'

/** The id of a server at the end of session ids, which travel in cookies (RFC 6265 4.1.1). */
export function parseCloneId(text: string): string | Flaw {
  return /^[!#-+\x2d-:<-[\]-~]{1,128}$/.test(text) ? text : new Flaw(cloneIdExpectation)
}

/** What separators of clone ids look like, for people. */
export const cloneSeparatorsExpectation = 'must be one or more of the characters : + . !'

/** Characters that clone ids begin after. */
export function parseCloneSeparators(text: string): string | Flaw {
  return /^[:+.!]+$/.test(text) ? [...new Set(text)].join('') : new Flaw(cloneSeparatorsExpectation)
}

/** The name of a pool, backend or node. */
export function parseId(text: string): string | Flaw {
  return idPattern.test(text) && text !== '__proto__' ? text : new Flaw(idExpectation)
}

/** An application's cookie name. */
export function parseCookieName(text: string): string | Flaw {
  return tokenPattern.test(text) ? text : new Flaw(cookieNameExpectation)
}

/** What the name of a header field that is a key looks like, for people. */
export const fieldNameExpectation = 'must be the name of a header field other than Cookie and Set-Cookie'

/** A header field's name, as written. */
export function parseFieldName(text: string): string | Flaw {
  return tokenPattern.test(text) && !/^(set-)?cookie2?$/i.test(text) ? text : new Flaw(fieldNameExpectation)
}

/** What the name of a header field that we write to backends looks like, for people. */
export const ownFieldNameExpectation = 'must be the name of a header field of its own, such as X-Sticky-Moved'

/** The name of a header field that we write to backends, and that is none of those we write anyhow. */
export function parseOwnFieldName(text: string): string | Flaw {
  const isFree = parseFieldName(text) === text && !isOwnedField(text)
  return isFree ? text : new Flaw(ownFieldNameExpectation)
}

/** What the name of a query's or path's parameter looks like, for people. */
export const parameterNameExpectation = 'must be the name of a parameter: letters, digits and any of . _ ~ $ -'

/** The name of a parameter of a query or path. */
export function parseParameterName(text: string): string | Flaw {
  return /^[A-Za-z0-9._~$-]{1,128}$/.test(text) ? text : new Flaw(parameterNameExpectation)
}

/** What a method looks like, for people. */
export const methodExpectation = 'must be a method in capital letters, such as DELETE'

/** A request's method. */
export function parseMethod(text: string): string | Flaw {
  return METHODS.includes(text) ? text : new Flaw(methodExpectation)
}

/** What a header field's name, or how it begins, looks like, for people. */
export const fieldPatternExpectation = 'must be a header name, or its beginning and a *, such as "$WS*"'

/** A header field's name, or how it begins with a `*` at the end; in lower case. */
export function parseFieldPattern(text: string): string | Flaw {
  const star = text.indexOf('*')
  const isPattern = tokenPattern.test(text) && star !== 0 && (star === -1 || star === text.length - 1)
  return isPattern ? text.toLowerCase() : new Flaw(fieldPatternExpectation)
}

/** Our own cookie's name, without the prefix that browsers give a meaning. */
export function parseOwnCookieName(text: string): string | Flaw {
  const [whole = '', prefix] = /^__(Host|Secure)-/i.exec(text) ?? []
  if (!prefix) return parseCookieName(text)
  return new Flaw('must be without its prefix', `${text.slice(whole.length)} with prefix: ${prefix.toLowerCase()}`)
}

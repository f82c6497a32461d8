import { Flaw } from './flaw.ts'

/** What a route's path looks like, for people. */
export const pathExpectation = 'must be a path such as /cart (exactly that) or /cart/* (that and all below)'

/** What a cookie's path looks like, for people. */
export const cookiePathExpectation = 'must be a path that begins with /, without spaces and semicolons'

/** A route's path: `/x`, or `/x/*`. Matched against the raw request target, so only what can stand there. */
export function parsePath(text: string): string | Flaw {
  if (!text.startsWith('/')) return new Flaw(pathExpectation)
  if (/[?#]/.test(text)) return new Flaw('must be without a query or fragment: routes see the path alone')
  const literal = text.replace(/\/\*$/, '/')
  if (literal.includes('*')) return new Flaw('may have a * only as its last segment, as in /cart/*')
  if (/[^!-~]|\\/.test(literal)) return new Flaw('must be as it is sent, percent-encoded', encodeURI(literal))
  const dots = literal.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
  return dots ? new Flaw('must be without . and .. segments, which no request may have') : text
}

/** A cookie's Path. */
export function parseCookiePath(text: string): string | Flaw {
  return /^\/[!-:<-~]*$/.test(text) ? text : new Flaw(cookiePathExpectation)
}

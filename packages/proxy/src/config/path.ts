import { Flaw } from './flaw.ts'

/** What a route's path looks like, for people. */
export const pathExpectation = 'must be a path such as /cart (exactly that), /cart/* (that and all below) or *.jsp'

/** What a cookie's path looks like, for people. */
export const cookiePathExpectation = 'must be a path that begins with /, without spaces and semicolons'

/** A route's path: `/x`, `/x/*`, `*.jsp` or `/x/*.jsp`. Matched against the raw path, so only what can stand there. */
export function parsePath(text: string): string | Flaw {
  if (!/^(?:\/|\*[^/*])/.test(text)) return new Flaw(pathExpectation)
  if (/[?#]/.test(text)) return new Flaw('must be without a query or fragment: routes see the path alone')
  if (text.includes(';')) return new Flaw('must be without ;parameters: routes do not see them')
  const literal = text.replace(/(^|\/)\*([^/*]*)$/, '$1$2')
  if (literal.includes('*'))
    return new Flaw('may have a * only to begin its last segment, as in /cart/* or /cart/*.jsp')
  if (/[^!-~]|\\/.test(literal)) return new Flaw('must be as it is sent, percent-encoded', encodeURI(literal))
  const dots = literal.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
  return dots ? new Flaw('must be without . and .. segments, which no request may have') : text
}

/** What a path that others begin with looks like, for people. */
export const pathPrefixExpectation = 'must be a path such as /gas, without a / at its end'

/** What the paths of requests begin with, segment by segment; `/` for all. */
export function parsePathPrefix(text: string): string | Flaw {
  const parsed = parsePath(text)
  if (parsed instanceof Flaw) return text.startsWith('/') ? parsed : new Flaw(pathPrefixExpectation)
  if (text.length > 1 && text.endsWith('/')) return new Flaw('must be without a / at its end', text.replace(/\/+$/, ''))
  return /\/\/|[*;]|%2f/i.test(text) ? new Flaw('must be whole segments, without //, %2f, * and ;') : text
}

/** A backend's own prefix: at least one segment. */
export function parseOwnPrefix(text: string): string | Flaw {
  return text === '/' ? new Flaw('must be a path of its own such as /GAS1') : parsePathPrefix(text)
}

/** A cookie's Path. */
export function parseCookiePath(text: string): string | Flaw {
  return /^\/[!-:<-~]*$/.test(text) ? text : new Flaw(cookiePathExpectation)
}

/** What a script's path looks like, for people. */
export const scriptPathExpectation =
  'must be the path of a script such as ./persist.ts, ending in .ts, .mts, .js or .mjs'

/** A PEM file's path. */
export function parsePemFile(text: string): string | Flaw {
  return text === '' || text.includes('-----BEGIN') ? new Flaw(pemFileExpectation) : text
}

/** What a PEM file's path looks like, for people. */
export const pemFileExpectation = 'must be the path of a PEM file such as certs/shop.pem'

/** The path of a script's file. */
export function parseScriptPath(text: string): string | Flaw {
  return /.\.m?[jt]s$/.test(text) ? text : new Flaw(scriptPathExpectation)
}

/** What a health check's path looks like, for people. */
export const probePathExpectation = 'must be a path such as /healthz, as it is sent'

/** A path to ask for, with a query if need be. */
export function parseProbePath(text: string): string | Flaw {
  return /^\/[!-"$-~]*$/.test(text) ? text : new Flaw(probePathExpectation)
}

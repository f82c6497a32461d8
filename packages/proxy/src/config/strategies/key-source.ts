import * as z from 'zod'

import type { KeySource } from '../config.ts'
import { defaults } from '../defaults.ts'
import { Flaw } from '../flaw.ts'
import { parseKeyPattern } from '../pattern.ts'
import { map, oneOf, optional, text, whole } from '../schema-shapes.ts'
import { cookieName, fieldName, parameterName } from '../schema-values.ts'

const patternExpectation = 'must be a regular expression with one group, which is the value'
const body = map({
  body: text(patternExpectation, parseKeyPattern).describe(
    'From the beginning of an answer’s body, as the one group of this regular expression: its first piece, up to 4 KiB, if it is uncompressed text.',
  ),
})
const learn = z.union([oneOf(['response', 'request']), body], {
  error: 'must be response, request or { body: PATTERN }',
})
const address = z.literal(true, { error: 'must be true, or left out' })

const contents = map({
  cookie: optional(cookieName).describe('The cookie whose value is the session’s key.'),
  header: optional(fieldName).describe('The header field whose value is.'),
  query: optional(parameterName).describe('The parameter of the query whose value is.'),
  pathParam: optional(parameterName).describe('The path parameter whose value is: `jsessionid` for `;jsessionid=…`.'),
  clientAddress: optional(address).describe('`true`: the client’s address is, as far as `trustedProxies` tell it.'),
  ipv4: optional(whole(1, 32)).describe('With `clientAddress`: how many bits of IPv4 addresses count. By default 32.'),
  ipv6: optional(whole(1, 128)).describe('With `clientAddress`: how many bits of IPv6 addresses count. By default 64.'),
  learn: optional(learn).describe(
    'What teaches values: `response`, what the application sets (default of `cookie` and `header`); `request`, what clients send, once a backend has answered (default of the others); `{ body: PATTERN }`, what an answer’s body begins with.',
  ),
})

type Contents = z.output<typeof contents>

/** Where a request carries a session's key. */
export const keySource: z.ZodType<KeySource> = contents.transform((given, context) => {
  // Of a misspelled key nothing more can be said.
  if (context.issues.length > 0) return z.NEVER
  const source = sourceOf(given)
  if (!(source instanceof Flaw)) return source
  context.issues.push({ code: 'custom', message: source.problem, input: given })
  return z.NEVER
})

const places = ['cookie', 'header', 'query', 'pathParam', 'clientAddress'] as const

function sourceOf(given: Contents): KeySource | Flaw {
  const { cookie, header, query, pathParam, learn } = given
  if (places.filter((place) => given[place] !== undefined).length !== 1)
    return new Flaw(`must have exactly one of ${places.join(', ')}`)
  if (given.clientAddress) return addressSource(given)
  if (given.ipv4 !== undefined || given.ipv6 !== undefined)
    return new Flaw('must have ipv4 and ipv6 with clientAddress alone')
  if (cookie !== undefined) return { cookie, learn: learn ?? 'response' }
  if (header !== undefined) return { header, learn: learn ?? 'response' }
  if (learn === 'response')
    return new Flaw('must be learnt from the request or { body: PATTERN }: no header of an answer sets a parameter')
  return query !== undefined
    ? { query, learn: learn ?? 'request' }
    : { pathParam: pathParam!, learn: learn ?? 'request' }
}

function addressSource({ ipv4, ipv6, learn }: Contents): KeySource | Flaw {
  if (learn !== undefined && learn !== 'request') return new Flaw('must have no learn: requests tell their address')
  return { clientAddress: true, ipv4: ipv4 ?? defaults.clientAddress.ipv4, ipv6: ipv6 ?? defaults.clientAddress.ipv6 }
}

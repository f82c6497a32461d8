import { Malformed } from './malformed.ts'
import { type ParsedRequest, parseRequestHead } from './request-head.ts'
import { type ParsedResponse, parseResponseHead } from './response-head.ts'

/** Header fields by name; a list is repeated, and an undefined one left out. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

const limits = { head: 16_384, fields: 500, target: 8192 }

/** A request's head as the wire reads it: `GET /cart` with these fields besides Host. */
export function requestHead(line = 'GET /', fields: Fields = {}): ParsedRequest {
  const lines = [`${line} HTTP/1.1`, ...linesOf({ Host: 'example.com', ...fields })]
  return accepted(parseRequestHead(lines.map((each) => `${each}\r\n`).join(''), limits))
}

/** A response's head as the wire reads it. */
export function responseHead(fields: Fields = {}, status = 200): ParsedResponse {
  const lines = [`HTTP/1.1 ${status} Whatever`, ...linesOf(fields)]
  return accepted(parseResponseHead(lines.map((each) => `${each}\r\n`).join(''), limits))
}

/** What a response's head adds to the client's cookies: the values of the Set-Cookie fields that leave. */
export function sentCookies(head: ParsedResponse): string[] {
  return Array.from(head.lines().matchAll(/^set-cookie: ([^\r]*)/gim), ([, value]) => value!)
}

function linesOf(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, values]) => [values ?? []].flat().map((value) => `${name}: ${value}`))
}

function accepted<Head>(head: Head | Malformed): Head {
  if (head instanceof Malformed) throw new Error(head.reason)
  return head
}

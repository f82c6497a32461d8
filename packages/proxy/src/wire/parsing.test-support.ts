import type { HeadLimits } from './limits.ts'
import { Malformed } from './malformed.ts'
import { type ParsedRequest, parseRequestHead } from './request-head.ts'
import { type ParsedResponse, parseResponseHead } from './response-head.ts'

/** The limits a node has unless told otherwise. */
export const LIMITS: HeadLimits = { head: 16 * 1024, fields: 100, target: 8 * 1024 }

const head = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('')

/** A request head of these lines, which must be acceptable. */
export function request(...lines: string[]): ParsedRequest {
  const parsed = parseRequestHead(head(lines), LIMITS)
  if (parsed instanceof Malformed) throw new Error(`refused for ${parsed.reason}`)
  return parsed
}

/** A request for `/` with these fields after Host. */
export const get = (...fields: string[]): ParsedRequest => request('GET / HTTP/1.1', 'Host: example.com', ...fields)

/** A response head of these lines, which must be acceptable. */
export function response(...lines: string[]): ParsedResponse {
  const parsed = parseResponseHead(head(lines), LIMITS)
  if (parsed instanceof Malformed) throw new Error(`refused for ${parsed.reason}`)
  return parsed
}

/** What a response head of these lines is refused for; undefined if it is not. */
export function responseFault(...lines: string[]): Malformed | undefined {
  const parsed = parseResponseHead(head(lines), LIMITS)
  return parsed instanceof Malformed ? parsed : undefined
}

import type { OutgoingRequest, Session } from '../affinity/strategy.ts'
import { outgoingRequest } from '../traffic/outgoing-head.ts'
import type { Placement } from '../traffic/placement.ts'
import type { Backend } from '../upstream/backend.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { HeadChanges, ResponseChanges, SentChanges } from './explanation.ts'

/** What the backend would be sent otherwise than the client sent it. */
export function sentChanges(place: Placement, request: ParsedRequest): SentChanges {
  const came = { target: request.target, cookie: request.cookie, lines: request.passed }
  const sent = outgoingRequest(request, place)
  return { target: sent.target, ...changesBetween(linesOf(came), linesOf(sent)) }
}

/** What affinity would make of the backend's answer. */
export async function responseChanges(session: Session, by: Backend, head: ParsedResponse): Promise<ResponseChanges> {
  const came = split(head.lines())
  const taken = await session.served(by, head)
  return { ...changesBetween(came, split(head.lines())), taken, awaitsBody: session.awaitsBody ?? false }
}

function linesOf({ cookie, lines }: OutgoingRequest): string[] {
  const cookies = cookie?.split(';') ?? []
  return [...split(lines), ...cookies.map((pair) => `Cookie: ${pair.trim()}`)]
}

function split(lines: string): string[] {
  return lines.split('\r\n').filter((line) => line !== '')
}

function changesBetween(before: readonly string[], after: readonly string[]): HeadChanges {
  return { removed: without(before, after).map(masked), added: without(after, before).map(masked) }
}

/** Those lines that the others do not have, as often as they do not. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** A line without what could be a key to somebody's session: cookies sent, and values nobody can read. */
function masked(line: string): string {
  return line.replace(/^(Cookie: [^=]*=).*/i, '$1…').replace(/^(Set-Cookie: [^=]*=)[\w-]{24,}(?=;|$)/i, '$1…')
}

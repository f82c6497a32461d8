import type { OutgoingRequest } from '../affinity/strategy.ts'
import { type Origin, requestLines } from '../wire/forwarding.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { Placement } from './placement.ts'

/** The head of a request as the backend gets it where it was placed. */
export function outgoingHead(request: ParsedRequest, place: Placement, origin: Origin, id: string): string {
  const { removed, moved, hostHeader } = place.pool!
  const backend = place.backend!
  const outgoing: OutgoingRequest = { target: request.target, cookie: request.cookie, lines: request.passed }
  if (removed !== undefined) outgoing.lines = removed.without(outgoing.lines)
  if (moved !== undefined) outgoing.lines = moved.without(outgoing.lines)
  place.dispatched(backend, outgoing)
  const { elsewhere } = place
  if (moved !== undefined && elsewhere !== undefined) outgoing.lines += moved.line(elsewhere.from, elsewhere.reason)
  const namesItself = hostHeader === 'backend' || request.host === ''
  return requestLines(request, outgoing, namesItself ? backend.authority : request.host, origin, id)
}

import type { OutgoingRequest } from '../affinity/strategy.ts'
import { type Origin, requestLines } from '../wire/forwarding.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { Placement } from './placement.ts'

/** The head of a request as the backend gets it where it was placed. */
export function outgoingHead(request: ParsedRequest, place: Placement, origin: Origin, id: string): string {
  const namesItself = place.pool!.hostHeader === 'backend' || request.host === ''
  const host = namesItself ? place.backend!.authority : request.host
  return requestLines(request, outgoingRequest(request, place), host, origin, id)
}

/** What of a request that backend gets otherwise than others would. */
export function outgoingRequest(request: ParsedRequest, place: Placement): OutgoingRequest {
  const { removed, moved } = place.pool!
  const { elsewhere } = place
  const outgoing: OutgoingRequest = { target: request.target, cookie: request.cookie, lines: request.passed }
  if (removed !== undefined) outgoing.lines = removed.without(outgoing.lines)
  if (moved !== undefined) outgoing.lines = moved.without(outgoing.lines)
  place.dispatched(place.backend!, outgoing)
  if (moved !== undefined && elsewhere !== undefined) outgoing.lines += moved.line(elsewhere.from, elsewhere.reason)
  return outgoing
}

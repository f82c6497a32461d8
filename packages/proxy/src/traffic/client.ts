import type { Client } from '../affinity/strategy.ts'
import type { Origin } from '../wire/forwarding.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import { type AddressRanges, plainAddress } from './address-ranges.ts'
import { isRequestId } from './request-ids.ts'

/** Who sent a request: the peer, or whoever a trusted peer says it speaks for. */
export function clientOf(peer: Client, origin: Origin, request: ParsedRequest, trusted: AddressRanges): Client {
  const forwarded = origin.trusted ? request.forwarded : undefined
  if (forwarded === undefined) return peer
  const scheme = forwarded['x-forwarded-proto']
  return {
    address: furthestTrusted(forwarded['x-forwarded-for'], trusted) ?? peer.address,
    secure: scheme === undefined ? peer.secure : scheme.toLowerCase() === 'https',
  }
}

/** Each trusted hop vouches for the address before it: the first from the right that is nobody's proxy is the client. */
function furthestTrusted(list: string | undefined, trusted: AddressRanges): string | undefined {
  // RFC 9110 5.6.1: a list may have empty elements.
  const named = list?.split(',').filter((address) => address.trim() !== '') ?? []
  const addresses = named.map((address) => plainAddress(address.trim()))
  return addresses.findLast((address) => !trusted.contains(address)) ?? addresses[0]
}

/** A trusted peer's request id, if it is fit to be copied. */
export function requestIdOf(origin: Origin, request: ParsedRequest): string | undefined {
  const id = origin.trusted ? request.forwarded?.['x-request-id'] : undefined
  return id !== undefined && isRequestId(id) ? id : undefined
}

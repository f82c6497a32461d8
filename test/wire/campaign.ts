import type { RequestLimits } from '../../packages/proxy/src/wire/request-reader.ts'
import { differenceFromOracle, differenceOfPieces, differenceOfRelayed } from './comparison.ts'
import { pieces, requestBytes, responseBytes } from './inputs.ts'
import { type Asked, Oracle } from './oracle.ts'
import { LIMITS, type RequestReading, type RequestWire, readRequests } from './our-requests.ts'
import { readResponses } from './our-responses.ts'
import { Random } from './random.ts'
import type { Reading } from './reading.ts'
import { NO_HOST, relayedRequests, relayedResponses } from './relayed.ts'

/** What a parser did with many inputs. */
export interface Campaign {
  readonly inputs: number
  /** Inputs of whole messages only, none refused. */
  readonly accepted: number
  readonly unfinished: number
  /** By the reason it gave. */
  readonly refusals: ReadonlyMap<string, number>
  /** What it accepted and should not have, or reads differently in pieces: where the campaign ended. */
  readonly finding: Finding | undefined
}

export interface Finding {
  readonly difference: string
  readonly asked: readonly Asked[]
  /** The input, one byte a character. */
  readonly input: string
}

/** Reads that many connections of clients, drawn from the seed, and stops at the first finding. */
export function requestCampaign(wire: RequestWire, seed: number, inputs: number): Campaign {
  const oracle = new Oracle('requests')
  return campaign(seed, inputs, (random) => {
    const bytes = requestBytes(random)
    const ours = readRequests(wire, [bytes])
    const difference =
      differenceFromOracle(ours, oracle.read(bytes)) ??
      differenceOfPieces(ours, readRequests(wire, pieces(random, bytes)))
    return { ours, difference, bytes, asked: [] }
  })
}

/** The same for connections of backends. */
export function responseCampaign(seed: number, inputs: number): Campaign {
  const oracle = new Oracle('responses')
  return campaign(seed, inputs, (random) => {
    const { asked, bytes } = responseBytes(random)
    const ours = readResponses(asked, [bytes])
    const difference =
      differenceFromOracle(ours, oracle.read(bytes, asked)) ??
      differenceOfPieces(ours, readResponses(asked, pieces(random, bytes)))
    return { ours, difference, bytes, asked }
  })
}

/** Relays what clients sent: what a backend would read must be what we read, and relaying it once more must change nothing. */
export function requestRelayCampaign(wire: RequestWire, seed: number, inputs: number): Campaign {
  const oracle = new Oracle('requests')
  return campaign(seed, inputs, (random) => {
    const ours = readRequests(wire, [requestBytes(random)])
    const bytes = relayedRequests(ours)
    const again = readRequests(wire, [bytes], RELAYED_LIMITS)
    const difference =
      differenceOfRelayed(ours, again) ??
      differenceFromOracle(again, oracle.read(bytes)) ??
      differenceOfRepetition(again, bytes)
    return { ours, difference, bytes, asked: [] }
  })
}

// Only requests that name no host change: they are given one.
const differenceOfRepetition = (again: RequestReading, bytes: Buffer): string | undefined =>
  bytes.includes(NO_HOST) || relayedRequests(again).equals(bytes)
    ? undefined
    : 'relayed once more it is another message'

// We add lines of our own.
const RELAYED_LIMITS: RequestLimits = { ...LIMITS, head: 2 * LIMITS.head, fields: 2 * LIMITS.fields }

/** Relays what backends sent: what a client would read must be what we read, and relaying it once more must change nothing. */
export function responseRelayCampaign(seed: number, inputs: number): Campaign {
  const oracle = new Oracle('responses')
  return campaign(seed, inputs, (random) => {
    const { asked, bytes: sent } = responseBytes(random)
    const ours = readResponses(asked, [sent])
    const bytes = relayedResponses(ours, asked)
    const again = readResponses(asked, [bytes])
    const difference =
      differenceOfRelayed(ours, again) ??
      differenceFromOracle(again, oracle.read(bytes, asked)) ??
      (relayedResponses(again, asked).equals(bytes) ? undefined : 'relayed once more it is another message')
    return { ours, difference, bytes, asked }
  })
}

interface Trial {
  readonly ours: Reading
  readonly difference: string | undefined
  readonly bytes: Buffer
  readonly asked: readonly Asked[]
}

function campaign(seed: number, inputs: number, attempt: (random: Random) => Trial): Campaign {
  const random = new Random(seed)
  const refusals = new Map<string, number>()
  let accepted = 0
  let unfinished = 0
  for (let done = 1; done <= inputs; done++) {
    const { ours, difference, bytes, asked } = attempt(random)
    if (ours.refusal !== undefined) refusals.set(ours.refusal, (refusals.get(ours.refusal) ?? 0) + 1)
    else if (ours.unfinished) unfinished++
    else accepted++
    if (difference === undefined) continue
    return {
      inputs: done,
      accepted,
      unfinished,
      refusals,
      finding: { difference, asked, input: bytes.toString('latin1') },
    }
  }
  return { inputs, accepted, unfinished, refusals, finding: undefined }
}

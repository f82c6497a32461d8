import type { ExchangeRecord, RefusalCode } from './exchange-record.ts'
import type { OwnAnswer } from './refusals.ts'

/** The record of a request whose head was refused: nothing of it is known. */
export function malformedRecord(
  client: string,
  requestId: string,
  refusal: RefusalCode,
  answer: OwnAnswer,
): ExchangeRecord {
  return {
    requestId,
    client,
    method: '',
    host: '',
    path: '',
    status: answer.status,
    bytesSent: answer.bodyLength,
    bytesReceived: 0,
    started: Date.now(),
    duration: 0,
    upstreamDuration: undefined,
    route: undefined,
    pool: undefined,
    backend: undefined,
    retries: 0,
    isRetryDenied: false,
    queued: undefined,
    session: undefined,
    persistence: 'NN',
    refusal,
    tunnel: false,
  }
}

import { chunkedEnd, chunkStart } from '../../packages/proxy/src/wire/body.ts'
import { type Origin, requestLines } from '../../packages/proxy/src/wire/forwarding.ts'
import { CHUNKED } from '../../packages/proxy/src/wire/framing.ts'
import type { ParsedRequest } from '../../packages/proxy/src/wire/request-head.ts'
import type { RequestReading } from './our-requests.ts'
import type { MessageRead } from './reading.ts'

const ORIGIN: Origin = { address: '192.0.2.7', scheme: 'http', port: 80, trusted: false }

/** What stands for the backend's own name where a client named no host. */
export const NO_HOST = 'backend.example'

/** The bytes a backend is sent for the requests that were read whole. */
export function relayedRequests(reading: RequestReading): Buffer {
  const texts = reading.messages.map((message, index) =>
    message.complete ? relayed(reading.requests[index]!, message) : '',
  )
  return Buffer.from(texts.join(''), 'latin1')
}

function relayed(request: ParsedRequest, message: MessageRead): string {
  const head = requestLines(request, request, request.host || NO_HOST, ORIGIN, 'id')
  return head + (request.framing === CHUNKED ? chunkedBody(message) : message.body)
}

function chunkedBody({ body, trailers }: MessageRead): string {
  const content = body === '' ? '' : `${chunkStart(body.length)}${body}\r\n`
  return content + chunkedEnd(trailers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join(''))
}

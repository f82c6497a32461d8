import { chunkedEnd, chunkStart } from '../../packages/proxy/src/wire/body.ts'
import {
  type Delivery,
  interimLines,
  type Origin,
  requestLines,
  responseLines,
  switchingLines,
} from '../../packages/proxy/src/wire/forwarding.ts'
import { CHUNKED, UNTIL_CLOSE } from '../../packages/proxy/src/wire/framing.ts'
import type { ParsedRequest } from '../../packages/proxy/src/wire/request-head.ts'
import type { ParsedResponse } from '../../packages/proxy/src/wire/response-head.ts'
import { framingOf } from '../../packages/proxy/src/wire/response-reader.ts'
import type { Asked } from './oracle.ts'
import type { RequestReading } from './our-requests.ts'
import { type ResponseReading, requestFor } from './our-responses.ts'
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
  const head = requestLines(
    request,
    { target: request.target, cookie: request.cookie, lines: request.passed },
    request.host || NO_HOST,
    ORIGIN,
    'id',
  )
  return head + (request.framing === CHUNKED ? chunkedBody(message) : message.body)
}

function chunkedBody({ body, trailers }: MessageRead): string {
  const content = body === '' ? '' : `${chunkStart(body.length)}${body}\r\n`
  return content + chunkedEnd(trailers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join(''))
}

/** The bytes a client of HTTP/1.1 is sent for the responses that were read whole. */
export function relayedResponses(reading: ResponseReading, asked: readonly Asked[]): Buffer {
  let answered = 0
  const texts = reading.messages.map((message, index) => {
    const head = reading.heads[index]!
    if (!message.complete) return ''
    if (head.status < 200) return head.status === 101 ? switchingLines(head, 'id') : interimLines(head)
    return relayedFinal(head, message, asked[answered++]!)
  })
  return Buffer.from(texts.join(''), 'latin1')
}

function relayedFinal(head: ParsedResponse, message: MessageRead, asked: Asked): string {
  const body = DELIVERIES.get(framingOf(head, asked.method)) ?? 'length'
  const text = responseLines(head, requestFor(asked), { body, persistent: body !== 'until-close' }, 'id')
  return text + (body === 'chunked' ? chunkedBody(message) : message.body)
}

const DELIVERIES = new Map<number, Delivery['body']>([
  [0, 'none'],
  [CHUNKED, 'chunked'],
  [UNTIL_CLOSE, 'until-close'],
])

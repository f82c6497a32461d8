import { backend } from '../balancing/fakes.test-support.ts'
import { type Fields, requestHead, responseHead } from '../wire/heads.test-support.ts'
import type { Node } from './cluster.test-support.ts'
import { type Session, wholeSite } from './strategy.ts'

/** A request as its client sends it. */
export interface Sent {
  /** `GET /` by default. */
  readonly line?: string
  readonly fields?: Fields
  /** The client's address. */
  readonly from?: string
}

/** An answer, and whose it is: the session's home's by default, `a`'s for a newcomer. */
export interface Answered {
  readonly by?: string
  readonly status?: number
  readonly fields?: Fields
  /** The first piece of the body. */
  readonly body?: string
}

/** The session that a node recognises a request as. */
export async function locate(node: Node, { line, fields, from = '192.0.2.1' }: Sent): Promise<Session> {
  return node.strategy.locate(requestHead(line, fields), { address: from, secure: false }, wholeSite)
}

/** A whole exchange over a node. */
export async function exchange(node: Node, sent: Sent, answered: Answered = {}): Promise<Session & { taken: boolean }> {
  const session = await locate(node, sent)
  const by = backend(answered.by ?? session.home[0] ?? 'a')
  const taken = await session.served(by, responseHead(answered.fields, answered.status))
  if (session.awaitsBody && answered.body !== undefined) await session.heard!(by, Buffer.from(answered.body))
  return Object.assign(session, { taken })
}

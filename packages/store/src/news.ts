const sign = 0
const idLength = 16

/** What processes tell each other beside changed sessions. */
export type News =
  /** What operators want of backends may have changed. */
  | { readonly kind: 'orders' }
  /** A backend that was away is well again. */
  | { readonly kind: 'recovery'; readonly pool: string; readonly backend: string }
  /** Whatever was told before it has been heard by whoever hears this. */
  | { readonly kind: 'barrier'; readonly barrier: string }
  /** Do the open tunnels of these sessions still lead to their homes? */
  | { readonly kind: 'recall'; readonly pool: string; readonly ids: readonly string[] }

const letters = { orders: 'o', recovery: 'u', barrier: 'b', recall: 'r' } as const

/** News as a message. No message about changed sessions begins with its first byte, the length of a pool's name there. */
export function newsMessage(news: News): Buffer {
  return Buffer.concat([Buffer.of(sign), Buffer.from(letters[news.kind]), ...rest(news)])
}

function rest(news: News): readonly Buffer[] {
  if (news.kind === 'orders') return []
  if (news.kind === 'recovery') return [Buffer.from(`${news.pool}/${news.backend}`)]
  if (news.kind === 'barrier') return [bytesOf(news.barrier)]
  return [Buffer.of(news.pool.length), Buffer.from(news.pool, 'latin1'), ...news.ids.map(bytesOf)]
}

function bytesOf(id: string): Buffer {
  return Buffer.from(id, 'base64url')
}

/** The news in a message; undefined when it has none. Anybody may have sent it: at worst it makes us read something again. */
export function newsIn(message: Buffer): News | undefined {
  if (message[0] !== sign) return undefined
  const letter = message.toString('latin1', 1, 2)
  if (letter === letters.orders) return { kind: 'orders' }
  if (letter === letters.recovery) return recoveryIn(message)
  if (letter === letters.barrier) return barrierIn(message)
  return letter === letters.recall ? recallIn(message) : undefined
}

function recoveryIn(message: Buffer): News | undefined {
  const [pool, backend, ...rest] = message.toString('latin1', 2).split('/')
  return pool && backend && rest.length === 0 ? { kind: 'recovery', pool, backend } : undefined
}

function barrierIn(message: Buffer): News | undefined {
  if (message.length !== 2 + idLength) return undefined
  return { kind: 'barrier', barrier: message.toString('base64url', 2) }
}

function recallIn(message: Buffer): News {
  const begin = 3 + (message[2] ?? 0)
  const ids: string[] = []
  for (let at = begin; at + idLength <= message.length; at += idLength) {
    ids.push(message.toString('base64url', at, at + idLength))
  }
  return { kind: 'recall', pool: message.toString('latin1', 3, begin), ids }
}

import type { PersistenceCode } from '../affinity/strategy.ts'

/** What affinity did with an exchange, in the words of `sticky_session_decisions_total`. */
export type Decision =
  | 'hit'
  | 'new'
  | 'learned'
  | 'rebound'
  | 'temporary'
  | 'expired_idle'
  | 'expired_absolute'
  | 'invalid'
  | 'ignored'
  | 'ended'
  | 'full'
  | 'none'

/** The word for a persistence code: how the request was recognised decides, unless it was not. */
export function decisionOf(code: PersistenceCode): Decision {
  const response = code[1] as Response
  return response === 'D' ? 'ended' : recognised[code[0] as Request](response)
}

type Request = PersistenceCode extends `${infer First}${infer _}` ? First : never
type Response = PersistenceCode extends `${infer _}${infer Second}` ? Second : never

const recognised: Record<Request, (response: Response) => Decision> = {
  V: () => 'hit',
  D: (response) => (response === 'N' ? 'temporary' : 'rebound'),
  E: () => 'expired_idle',
  O: () => 'expired_absolute',
  I: () => 'invalid',
  U: () => 'ignored',
  N: (response) => (response === 'N' ? 'none' : response === 'P' ? 'learned' : 'new'),
}

/** Every persistence code there is. */
export const persistenceCodes: readonly PersistenceCode[] = (Object.keys(recognised) as Request[]).flatMap((request) =>
  (['N', 'I', 'U', 'P', 'D'] as const).map((response): PersistenceCode => `${request}${response}`),
)

import type { Session } from './strategy.ts'

/** A request that nobody recognised and whose response begins nothing. */
export const newcomer: Session = {
  known: false,
  home: [],
  key: undefined,
  persistence: 'NN',
  reason: 'a newcomer',
  served: () => false,
}

/** A session that lives there. */
export function livingOn(...home: string[]): Session {
  return { ...newcomer, known: true, home, persistence: 'VN', reason: 'known', served: () => true }
}

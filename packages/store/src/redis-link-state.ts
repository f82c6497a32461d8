import type { LinkState } from './redis-link.ts'

/** How several ways fare as one: away when all are, and with the first reason that any has, or that for there being none. */
export function stateOfAll(states: readonly LinkState[], whyNone: string): LinkState {
  const sum = (count: (state: LinkState) => number) => states.reduce((total, state) => total + count(state), 0)
  return {
    available: states.some(({ available }) => available),
    reason: states.length === 0 ? whyNone : states.find(({ reason }) => reason)?.reason,
    readOnly: states.some(({ readOnly }) => readOnly),
    late: sum(({ late }) => late),
    refusedWrites: sum(({ refusedWrites }) => refusedWrites),
    away: Math.max(0, ...states.map(({ away }) => away)),
  }
}

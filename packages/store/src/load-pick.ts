import type { Numbers } from './load-ledger.ts'
import type { Candidate } from './store.ts'

/** A choice somebody waits for. */
export class LoadPick {
  readonly candidates: readonly Candidate[]
  readonly #answer = Promise.withResolvers<string | undefined>()
  readonly #stopTimer: () => void
  #settled = false

  constructor(candidates: readonly Candidate[], startTimer: (pick: LoadPick) => () => void) {
    this.candidates = candidates
    this.#stopTimer = startTimer(this)
  }

  /** The backend's id, undefined when all are full. */
  get answer(): Promise<string | undefined> {
    return this.#answer.promise
  }

  get settled(): boolean {
    return this.#settled
  }

  grant(backend: string | undefined): void {
    this.#settle()
    this.#answer.resolve(backend)
  }

  fail(failure: Error): void {
    this.#settle()
    this.#answer.reject(failure)
  }

  #settle(): void {
    this.#settled = true
    this.#stopTimer()
  }
}

/** Those who choose among the same candidates, so that a call names these once. */
export interface ChoiceGroup<Item> {
  readonly candidates: readonly Candidate[]
  readonly items: Item[]
}

/** Groups by what there is to choose from; `tried` backends make few lists differ, hence the plain search. */
export function groupByCandidates<Item extends { readonly candidates: readonly Candidate[] }>(
  items: readonly Item[],
): ChoiceGroup<Item>[] {
  const groups: ChoiceGroup<Item>[] = []
  for (const item of items) {
    const group = groups.find(({ candidates }) => sameCandidates(candidates, item.candidates))
    if (group) group.items.push(item)
    else groups.push({ candidates: item.candidates, items: [item] })
  }
  return groups
}

/** So many picks among these candidates, as `load-call.lua` takes them. */
export function pickArguments(picks: number, candidates: readonly Candidate[]): Numbers {
  const numbers: Numbers = [picks, candidates.length]
  for (const { id, weight, limit } of candidates) numbers.push(id, weight, limit ?? '')
  return numbers
}

/** A larger choice costs Redis too much (load-call.lua: 257 microseconds for 200, 60 for 64). */
const mostCandidates = 64

/**
 * Cuts large choices down to 64 that rotate, so that every candidate has its turn: then the least of the sample is chosen.
 * With limits it cuts nothing, for a full sample would refuse what others can take.
 */
export function rotatingSample(): (candidates: readonly Candidate[]) => readonly Candidate[] {
  let turn = 0
  return (candidates) => {
    if (candidates.length <= mostCandidates || candidates.some(({ limit }) => limit !== undefined)) return candidates
    const from = turn % candidates.length
    turn = from + mostCandidates
    return candidates.slice(from).concat(candidates.slice(0, from)).slice(0, mostCandidates)
  }
}

function sameCandidates(some: readonly Candidate[], others: readonly Candidate[]): boolean {
  if (some === others) return true
  if (some.length !== others.length) return false
  return some.every((one, at) => {
    const other = others[at]!
    return one.id === other.id && one.weight === other.weight && one.limit === other.limit
  })
}

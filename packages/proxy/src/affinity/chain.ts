import type { MaybePromise, StoreBudget } from '@sticky/store'

import type { RequestHead } from '../wire/request-head.ts'
import { ConcealingSession } from './chain-concealing.ts'
import { ChainNewcomer } from './chain-newcomer.ts'
import type { AffinityStrategy, Client, MatchedUri, OutgoingRequest, Session } from './strategy.ts'

/**
 * A chain of strategies is itself a strategy: the first that recognises the request, or decides about it, wins, and a
 * newcomer's response is offered down the chain until one takes the session. An empty chain knows nobody and binds nothing.
 */
export function chain(strategies: readonly AffinityStrategy[]): AffinityStrategy {
  if (strategies.length === 0) return { locate: () => stranger }
  return strategies.length === 1 ? strategies[0]! : new Chain(strategies)
}

const stranger: Session = {
  known: false,
  home: [],
  key: undefined,
  persistence: 'NN',
  reason: 'the pool has no affinity',
  served: () => false,
}

/** What strategies are asked about. */
interface Asked {
  readonly request: RequestHead
  readonly client: Client
  readonly uri: MatchedUri
  readonly budget: StoreBudget | undefined
}

class Chain implements AffinityStrategy {
  readonly #strategies: readonly AffinityStrategy[]
  /** For each strategy, those of the others that change what backends are sent. */
  readonly #concealers: readonly (readonly AffinityStrategy[])[]

  constructor(strategies: readonly AffinityStrategy[]) {
    this.#strategies = strategies
    this.#concealers = strategies.map((one) =>
      strategies.filter((other) => other !== one && (other.conceal || other.adapt)),
    )
  }

  locate(request: RequestHead, client: Client, uri: MatchedUri, budget?: StoreBudget): MaybePromise<Session> {
    const strangers: Session[] = []
    for (let index = 0; index < this.#strategies.length; index++) {
      const found = this.#strategies[index]!.locate(request, client, uri, budget)
      if (found instanceof Promise) return this.#locateLater({ request, client, uri, budget }, index, found, strangers)
      if (decides(found)) return this.#decided(found, index)
      strangers.push(found)
    }
    return new ChainNewcomer(strangers)
  }

  /** Waits for the strategy at `index`, then asks those after it. */
  async #locateLater(
    { request, client, uri, budget }: Asked,
    index: number,
    pending: Promise<Session>,
    strangers: Session[],
  ): Promise<Session> {
    let found = await pending
    for (let next = index; ; ) {
      if (decides(found)) return this.#decided(found, next)
      strangers.push(found)
      const strategy = this.#strategies[++next]
      if (strategy === undefined) return new ChainNewcomer(strangers)
      found = await strategy.locate(request, client, uri, budget)
    }
  }

  conceal(request: OutgoingRequest): void {
    for (const strategy of this.#strategies) strategy.conceal?.(request)
  }

  #decided(session: Session, index: number): Session {
    const others = this.#concealers[index]!
    return others.length === 0 ? session : new ConcealingSession(session, others)
  }
}

/** Does the session leave nothing to the strategies after it? */
function decides(session: Session): boolean {
  return session.known || session.verdict !== undefined
}

import { setTimeout as delay } from 'node:timers/promises'

import { Client, type Target, type Visit } from './client.ts'
import { sites } from './sites.ts'

/** Clients that hold a session all along, and how often each of them comes. */
const CLIENTS = 50
const PAUSE = 250
/** Every fifth is known by a learned key, the others by a sealed cookie. */
const LEARNED_EVERY = 5
/** One newcomer so often, each of whom asks this many times and is gone. */
const NEWCOMER_EVERY = 200
const VISITS_OF_NEWCOMERS = 4

/** A steady load: 50 clients with 200 requests a second over all nodes in turn, and 5 newcomers a second besides. */
export class Load implements AsyncDisposable {
  /** Every visit so far, in the order in which they ended. */
  readonly visits: Visit[] = []
  readonly clients: readonly Client[]
  readonly #targets: () => readonly Target[]
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>[]
  readonly #newcomers = new Set<Promise<void>>()
  #refusedNewcomers = 0

  /** Begins at once. `targets` is asked at each visit. */
  constructor(targets: () => readonly Target[]) {
    this.#targets = targets
    this.clients = Array.from({ length: CLIENTS }, (_, turn) => new Client(siteOf(turn), turn))
    this.#running = [...this.clients.map((client, n) => this.#keepVisiting(client, n)), this.#bringNewcomers()]
  }

  /** Requests whose connection was refused and which another node served. */
  get refused(): number {
    return this.clients.reduce((sum, { refused }) => sum + refused, this.#refusedNewcomers)
  }

  /** Faults other than those. */
  get faults(): readonly Visit[] {
    return this.visits.filter(({ fault }) => fault !== undefined)
  }

  get moved(): readonly Visit[] {
    return this.visits.filter(({ isMoved }) => isMoved)
  }

  /** Resolves when each of the clients has a home. */
  async settled(within = 10_000): Promise<void> {
    const end = performance.now() + within
    while (this.clients.some(({ home }) => home === undefined)) {
      if (performance.now() > end)
        throw new Error(`no home for all clients after ${within} ms: ${this.faults[0]?.fault}`)
      await delay(20)
    }
  }

  /** Lets what is under way end, and sends no more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
    await Promise.all(this.#newcomers)
    for (const client of this.clients) client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #keepVisiting(client: Client, n: number): Promise<void> {
    let due = performance.now() + (n * PAUSE) / CLIENTS
    while (await this.#until(due)) {
      this.visits.push(await client.visit(this.#targets()))
      // Who was kept waiting does not make up for it: browsers do not either.
      due = Math.max(due + PAUSE, performance.now())
    }
  }

  async #bringNewcomers(): Promise<void> {
    for (let turn = 0; await this.#until(performance.now() + NEWCOMER_EVERY); turn++) {
      const newcomer = this.#bring(new Client(siteOf(turn), turn))
      this.#newcomers.add(newcomer)
      void newcomer.finally(() => this.#newcomers.delete(newcomer))
    }
  }

  async #bring(client: Client): Promise<void> {
    for (let visit = 0; visit < VISITS_OF_NEWCOMERS && !this.#stopping.signal.aborted; visit++)
      this.visits.push(await client.visit(this.#targets()))
    this.#refusedNewcomers += client.refused
    client.close()
  }

  /** False once the load is to stop. */
  async #until(due: number): Promise<boolean> {
    const { signal } = this.#stopping
    await delay(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }
}

function siteOf(turn: number): string {
  return turn % LEARNED_EVERY === LEARNED_EVERY - 1 ? sites.learned : sites.sealed
}

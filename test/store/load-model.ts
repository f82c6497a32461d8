import assert from 'node:assert/strict'

import type { Candidate } from '../../packages/store/src/store.ts'
import type { Command, Snapshot } from './load-simulation.ts'

type Counts = Map<string, number>

/**
 * What must hold between any two moments of a load table, said without knowing how the scripts do it.
 *
 * Numbers in brackets are the invariants of the specification.
 */
export class LoadModel {
  #before: Snapshot = { load: {}, ledgers: new Map() }
  /** What evicted ledgers had counted, by epoch: nobody can know it until the table is found torn. */
  #ghosts = new Map<string, Counts>()
  /** Calls that had effect on the present ledger, by worker. */
  readonly #applied = new Map<string, Set<string>>()
  picks = 0

  /** The state before a key is removed by force, and after. */
  removed(after: Snapshot): void {
    for (const [worker, ledger] of this.#before.ledgers) {
      const lost = ledger['#e'] !== undefined && after.ledgers.get(worker)?.['#e'] === undefined
      if (lost) addAll(this.#ghostsOf(ledger['#e']!), countsOf(ledger))
    }
    this.#before = after
  }

  /** A command was executed, for the first time or again. */
  executed(command: Command, after: Snapshot, now: number): void {
    const before = this.#before
    this.#before = after
    this.#sumsAreRight(after)
    if (command.script.name === 'load-open') this.#openIsRight(command, before, after)
    if (command.script.name === 'load-call') this.#callIsRight(command, before, after)
    if (command.script.name === 'load-reap') this.#onlyTheLapsedAreReaped(command, before, after, now)
  }

  /** [1] Each total is the sum of the ledgers of its epoch, and no field is at zero or below. */
  #sumsAreRight({ load, ledgers }: Snapshot): void {
    const sum: Counts = new Map()
    const epoch = load['#e']
    for (const ledger of ledgers.values()) {
      for (const count of countsOf(ledger).values()) assert(count > 0, 'a ledger has a field at zero or below')
      if (epoch !== undefined && ledger['#e'] === epoch) addAll(sum, countsOf(ledger))
    }
    if (epoch !== undefined) addAll(sum, this.#ghostsOf(epoch))
    assert.deepEqual(sorted(countsOf(load)), sorted(sum), 'totals differ from the sum of the ledgers')
  }

  /** [5] An open that comes late finds a ledger at least as new, and leaves it as it is. */
  #openIsRight({ args, reply, worker }: Command, before: Snapshot, after: Snapshot): void {
    const old = before.ledgers.get(worker.name)
    if (reply !== 'stale') this.#applied.delete(worker.name)
    if (old && Number(old['#i']) >= Number(args[1])) {
      assert.deepEqual(after.ledgers.get(worker.name), old, 'a late open had an effect')
    }
  }

  /** [5] Takes effect once, in order, or not at all. [2] Grants the least at each pick. [3] Ledger: changes and grants. */
  #callIsRight(command: Command, before: Snapshot, after: Snapshot): void {
    const call = parseCall(command.args)
    const ledger = before.ledgers.get(command.worker.name) ?? {}
    const isCurrent = ledger['#e'] !== undefined && ledger['#e'] === before.load['#e'] && ledger['#t'] === call.ticket
    const isNext = isCurrent && Number(ledger['#s']) + 1 === call.sequence
    if (!isNext) {
      assert.equal(command.reply, 'unknown', 'a call out of turn was answered')
      assert.deepEqual(after, before, 'a call out of turn had an effect')
      return
    }
    this.#takesEffectOnce(command.worker.name, `${call.ticket}/${call.sequence}`)
    const totals = countsOf(before.load)
    const own = countsOf(ledger)
    addAll(totals, call.changes)
    addAll(own, call.changes)
    this.#grantsAreRight(call.picks, command.reply as string[], totals, own)
    assert.deepEqual(sorted(countsOf(after.load)), sorted(totals), 'totals after a call')
    assert.deepEqual(sorted(countsOf(after.ledgers.get(command.worker.name)!)), sorted(own), 'ledger after a call')
  }

  #takesEffectOnce(worker: string, call: string): void {
    const applied = this.#applied.get(worker) ?? new Set()
    assert(!applied.has(call), 'a call had effect twice')
    this.#applied.set(worker, applied.add(call))
  }

  #grantsAreRight(picks: readonly Candidate[][], granted: readonly string[], totals: Counts, own: Counts): void {
    assert.equal(granted.length, picks.length, 'as many grants as picks')
    picks.forEach((candidates, at) => {
      this.picks += 1
      const open = candidates.filter(({ id, limit }) => limit === undefined || (totals.get(id) ?? 0) < limit)
      const ratio = ({ id, weight }: Candidate) => (totals.get(id) ?? 0) / weight
      const chosen = open.find(({ id }) => id === granted[at])
      assert(
        chosen || (granted[at] === '' && open.length === 0),
        `granted ${granted[at]} of ${open.map(({ id }) => id)}`,
      )
      if (!chosen) return
      assert(ratio(chosen) <= Math.min(...open.map(ratio)) + 1e-9, 'granted more than the least load')
      addAll(totals, new Map([[chosen.id, 1]]))
      addAll(own, new Map([[chosen.id, 1]]))
    })
  }

  #onlyTheLapsedAreReaped({ args, reply }: Command, before: Snapshot, after: Snapshot, now: number): void {
    const field = `@${args[0]}`
    if (reply === 0) assert.deepEqual(after, before, 'a reap that found nothing to do had an effect')
    if (after.load[field] === before.load[field]) return
    assert(Number(before.load[field]) <= now, 'a worker was reaped before its lease had lapsed')
  }

  #ghostsOf(epoch: string): Counts {
    let ghosts = this.#ghosts.get(epoch)
    if (!ghosts) {
      ghosts = new Map()
      this.#ghosts.set(epoch, ghosts)
    }
    return ghosts
  }
}

/** The + fields of a hash, as numbers. */
export function countsOf(hash: Readonly<Record<string, string>>): Counts {
  const fields = Object.entries(hash).filter(([field]) => field.startsWith('+'))
  return new Map(fields.map(([field, count]) => [field.slice(1), Number(count)]))
}

/** Counts by backend, for comparison: what is at zero is not there. */
export function sorted(counts: Counts): [string, number][] {
  return [...counts].filter(([, count]) => count !== 0).sort(([one], [other]) => (one < other ? -1 : 1))
}

function addAll(sum: Counts, counts: Counts): void {
  for (const [backend, count] of counts) sum.set(backend, (sum.get(backend) ?? 0) + count)
}

interface Call {
  readonly ticket: string
  readonly sequence: number
  readonly changes: Counts
  /** What each pick chooses from, in the order of the grants. */
  readonly picks: Candidate[][]
}

/** Reads a call as the head of load-call.lua describes it. */
function parseCall(args: readonly string[]): Call {
  const rest = [...args]
  const take = () => rest.shift()!
  const ticket = take()
  const sequence = Number(take())
  const changes = new Map(Array.from({ length: Number(take()) }, () => [take(), Number(take())] as const))
  const picks: Candidate[][] = []
  while (rest.length > 0) {
    const times = Number(take())
    const candidates = Array.from({ length: Number(take()) }, () => candidate(take(), take(), take()))
    for (let time = 0; time < times; time++) picks.push(candidates)
  }
  return { ticket, sequence, changes, picks }
}

function candidate(id: string, weight: string, limit: string): Candidate {
  return { id, weight: Number(weight), limit: limit === '' ? undefined : Number(limit) }
}

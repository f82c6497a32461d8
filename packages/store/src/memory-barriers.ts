import { randomUUID } from 'node:crypto'

const most = 100

/** Barriers in one process, whose nodes reach them at once. */
export class MemoryBarriers {
  readonly #passed = new Map<string, Set<string>>()
  readonly #onRaised = new Set<(barrier: string) => void>()

  raise(): string {
    const barrier = randomUUID()
    this.#passed.set(barrier, new Set())
    if (this.#passed.size > most) this.#passed.delete(this.#passed.keys().next().value!)
    for (const listener of this.#onRaised) listener(barrier)
    return barrier
  }

  onRaised(listener: (barrier: string) => void): void {
    this.#onRaised.add(listener)
  }

  pass(barrier: string, instance: string): void {
    this.#passed.get(barrier)?.add(instance)
  }

  passed(barrier: string): ReadonlySet<string> {
    return new Set(this.#passed.get(barrier))
  }
}

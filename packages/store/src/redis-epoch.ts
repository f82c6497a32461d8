import { createHash } from 'node:crypto'

const none = Buffer.alloc(0)

/** One shard's epoch as the master we are connected to has it: its number and its owner's run id, `<number> <run id>`. */
export class ShardEpoch {
  #held: Buffer = none
  #runId = ''
  #epoch = 0

  /**
   * The epoch that counts, 0 when the shard has none yet. One that another master wrote has ended: the number that
   * lua/bind.lua will put in its place is foretold.
   */
  read(held: Buffer | null, runId: string): number {
    if (held === null) return 0
    if (this.#runId === runId && this.#held.equals(held)) return this.#epoch
    this.#held = held
    this.#runId = runId
    this.#epoch = epochOf(held.toString('latin1'), runId)
    return this.#epoch
  }
}

function epochOf(held: string, runId: string): number {
  const [number, master] = held.split(' ')
  if (master === runId || runId === '') return Number(number)
  return Number.parseInt(createHash('sha1').update(`${held} ${runId}`).digest('hex').slice(0, 12), 16)
}

import type { Random } from './random.ts'

/** Draws the parts of a message: mostly what the grammar allows, sometimes what some parser somewhere mistakes for it. */
export class Dice {
  readonly random: Random
  readonly #oddPerMille: number

  constructor(random: Random, oddPerMille: number) {
    this.random = random
    this.#oddPerMille = oddPerMille
  }

  get odd(): boolean {
    return this.#oddPerMille > 0 && this.random.below(1000) < this.#oddPerMille
  }

  pick<T>(valid: readonly T[], odd: readonly T[]): T {
    return this.random.pick(this.odd ? odd : valid)
  }

  /** From none to `most` draws, joined. */
  some(most: number, draw: () => string): string {
    let text = ''
    for (let count = this.random.below(most + 1); count > 0; count--) text += draw()
    return text
  }
}

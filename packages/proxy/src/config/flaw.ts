/** What is wrong with a value and what would be right, as the predicate of a sentence: `must be a duration such as 30s`. */
export class Flaw {
  readonly problem: string
  /** What to write instead. It is made of the value, so it is as secret as that. */
  readonly instead: string | undefined

  constructor(problem: string, instead?: string) {
    this.problem = problem
    this.instead = instead
  }
}

import { type Mistake, type Place, showPath } from './mistakes.ts'

/** A mistake with the place where it was made. */
export interface PlacedMistake extends Mistake {
  /** The file's name, or the flag's. */
  readonly source: string
  /** Undefined for flags and for a file that could not be read. */
  readonly place: Place | undefined
}

/** A configuration that must not be used: every mistake in it, in the file's order. Values never appear where they may be secret. */
export class ConfigErrors extends Error {
  override readonly name = 'ConfigErrors'
  readonly mistakes: readonly PlacedMistake[]

  constructor(mistakes: readonly PlacedMistake[]) {
    super(mistakes.map(showMistake).join('\n'))
    this.mistakes = mistakes
  }
}

/** The same of what is no mistake but will not work as written. */
export function showWarning(warning: PlacedMistake): string {
  return showMistake({ ...warning, problem: `warning: ${warning.problem}` })
}

/** One line, as compilers write it: `sticky.yaml:12:9: pools.shop.balance: must be …`. */
export function showMistake({ source, place, path, problem, detail = '' }: PlacedMistake): string {
  const where = place ? `${source}:${place.line}:${place.column}` : source
  return [where, showPath(path), problem + detail].filter((part) => part !== '').join(': ')
}

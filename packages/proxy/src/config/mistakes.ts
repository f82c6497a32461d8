/** The way to a value: `['pools', 'shop', 'backends', 0, 'url']`. */
export type Path = readonly (string | number)[]

/** Where in the file; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** What is wrong with the value at a path (or with the key that ends it), and what would be right. */
export interface Mistake {
  readonly path: Path
  readonly problem: string
  /** The key itself is at fault rather than its value. */
  readonly atKey?: boolean
  /** The rest of the sentence. It tells the value, so it is printed only where that may be. */
  readonly detail?: string | undefined
}

/** Takes note of a mistake and goes on; `detail` ends the sentence where the value may be printed. */
export type Report = (path: Path, problem: string, detail?: string) => void

/** A path as people write it: `pools.shop.backends[0].url`. */
export function showPath(path: Path): string {
  return path.map((step, depth) => (typeof step === 'number' ? `[${step}]` : depth === 0 ? step : `.${step}`)).join('')
}

/** What plain data hold at the path; undefined where they end before it. */
export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, step) => (inside as Record<string | number, unknown> | null)?.[step], data)
}

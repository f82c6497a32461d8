import { Flaw } from './flaw.ts'

/** Bytes, with a decimal or binary unit. */
export const sizePattern: RegExp = /^(\d{1,12})(B|[kKMG]B?|[KMG]iB?)?$/

/** What a size looks like, for people. */
export const sizeExpectation = 'must be a size such as 512, 16Ki, 1Mi or 10MB'

const factors: Readonly<Record<string, number>> = {
  k: 1000,
  M: 1000 ** 2,
  G: 1000 ** 3,
  ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
}

/** A size in bytes, above 0. */
export function parseSize(text: string): number | Flaw {
  const [matched, amount, unit = ''] = sizePattern.exec(text) ?? []
  if (matched === undefined) return new Flaw(sizeExpectation)
  const bytes = Number(amount) * (factors[unit.replace('B', '').replace('K', 'k')] ?? 1)
  if (bytes === 0) return new Flaw('must be more than 0')
  return Number.isSafeInteger(bytes) ? bytes : new Flaw(sizeExpectation)
}

import { Flaw } from './flaw.ts'

/** A share in percent. */
export const percentPattern: RegExp = /^(\d{1,3}(?:\.\d)?)\s?%$/

/** What a share looks like, for people. */
export const percentExpectation = 'must be a share such as 50%'

/** A share from 0 to 1. */
export function parsePercent(text: string): number | Flaw {
  const [, amount] = percentPattern.exec(text) ?? []
  if (amount === undefined) return new Flaw(percentExpectation)
  return Number(amount) > 100 ? new Flaw('must be at most 100%') : Number(amount) / 100
}

import type { Milliseconds } from '@sticky/store'

/** Reads a cookie's Expires as browsers do (RFC 6265 5.1.1), since 1970; undefined when it is no date. */
export function parseCookieDate(text: string): Milliseconds | undefined {
  const found: { time?: readonly number[]; day?: number; month?: number; year?: number } = {}
  for (const token of text.split(delimiters)) {
    if (found.time === undefined && timeOf.test(token)) found.time = numbersOf(timeOf, token)
    else if (found.day === undefined && dayOf.test(token)) found.day = numbersOf(dayOf, token)[0]!
    else if (found.month === undefined && monthOf(token) >= 0) found.month = monthOf(token)
    else if (found.year === undefined && yearOf.test(token)) found.year = wholeYear(numbersOf(yearOf, token)[0]!)
  }
  const { time, day, month, year } = found
  if (time === undefined || day === undefined || month === undefined || year === undefined) return undefined
  return instant(year, month, day, time)
}

const delimiters = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/
const timeOf = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)/
const dayOf = /^(\d{1,2})(?!\d)/
const yearOf = /^(\d{2,4})(?!\d)/
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

function numbersOf(pattern: RegExp, token: string): readonly number[] {
  return pattern.exec(token)!.slice(1).map(Number)
}

function monthOf(token: string): number {
  return months.indexOf(token.slice(0, 3).toLowerCase())
}

function wholeYear(year: number): number {
  if (year > 99) return year
  return year < 70 ? year + 2000 : year + 1900
}

function instant(year: number, month: number, day: number, time: readonly number[]): Milliseconds | undefined {
  const [hour, minute, second] = time as readonly [number, number, number]
  if (year < 1601 || hour > 23 || minute > 59 || second > 59) return undefined
  const instant = Date.UTC(year, month, day, hour, minute, second)
  return new Date(instant).getUTCDate() === day ? instant : undefined
}

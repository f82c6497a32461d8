import type { Visit } from './client.ts'
import type { Trial } from './trial.ts'

/** Milliseconds that half and 99 of 100 requests took. */
export interface Spread {
  readonly p50: number
  readonly p99: number
}

/** Of none there is none. */
export function spread(visits: readonly Visit[]): Spread | undefined {
  const times = visits.map(({ began, ended }) => ended - began).sort((one, other) => one - other)
  if (times.length === 0) return undefined
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { p50: at(0.5), p99: at(0.99) }
}

/** For people: `1.2 / 3.4 ms`, and nothing for nothing. */
export function inWords(times: Spread | undefined): string {
  return times === undefined ? '' : `${times.p50.toFixed(1)} / ${times.p99.toFixed(1)} ms`
}

/** What a machine whose every core is busy adds to the slowest of a hundred now and then. */
const NOISE = 5
/** Longer than any time budget, and short enough for whoever waits. */
const FIRST_SECOND = 250

/** Of these visits: 99 of 100 took at most twice what they took before the fault, its first second excepted. */
export function expectUsualTimes(trial: Trial, whose: (visit: Visit) => boolean = () => true): void {
  const before = spread(trial.before().filter(whose))
  const first = spread(trial.firstSecond().filter(whose))
  const during = spread(trial.during().filter(whose))
  if (!before || !during) return trial.expectInTime('there was load before and during the fault', false)
  const seen = `${inWords(before)} before, ${inWords(during)} then: ${slowest(trial, whose).join('; ')}`
  trial.expectInTime('p50 is what it was', during.p50 <= 1.5 * before.p50 + 0.5, seen)
  trial.expectInTime('p99 is at most twice the usual', during.p99 <= Math.max(2 * before.p99, NOISE), seen)
  if (first) trial.expectInTime('p99 of the first second is at most 250 ms', first.p99 <= FIRST_SECOND, inWords(first))
}

/** The visits that took longest while the fault stood. */
function slowest(trial: Trial, whose: (visit: Visit) => boolean): string[] {
  const longestFirst = trial
    .during()
    .filter(whose)
    .sort((one, other) => other.ended - other.began - (one.ended - one.began))
  return longestFirst.slice(0, 5).map(({ began, ended, home, app, node }) => {
    const at = ((began - trial.faultAt) / 1000).toFixed(2)
    return `${Math.round(ended - began)} ms at ${at} s over node ${node + 1}, ${home ?? 'newcomer'} -> ${app}`
  })
}

import { touchInterval } from './ageing.ts'
import { SharedValues } from './shared-values.ts'
import type { CookieRecord, Milliseconds } from './store.ts'

/** Cookies as they were told to the store last, but for their values: an application sets the same ones in many sessions. */
export type ToldCookies = readonly Omit<CookieRecord, 'fingerprint'>[]

/** None. */
export const noCookies: ToldCookies = []

const shared = new SharedValues<ToldCookies>(1000)
/** The last ones: naming them takes longer than comparing with them. */
let last = noCookies

/** What is held of cookies that are told to the store, in memory shared with sessions that have the same. */
export function toldCookies(cookies: readonly CookieRecord[]): ToldCookies {
  if (areAlike(cookies, last)) return last
  const name = cookies.map(({ name, age, attributes }) => `${roughly(age)} ${name}=${attributes}`).join('\n')
  last = shared.of(name, () =>
    cookies.map(({ name, age, attributes }) => ({
      name: ownCopy(name),
      age: roughly(age),
      attributes: ownCopy(attributes),
    })),
  )
  return last
}

/** A date in `Expires` is exact to the second, and its age differs in each response: by less than matters, unless it is short. */
function roughly(age: Milliseconds): Milliseconds {
  return age < 60_000 ? age : Math.round(age / 1000) * 1000
}

function areAlike(cookies: readonly CookieRecord[], told: ToldCookies): boolean {
  if (cookies.length !== told.length) return false
  return cookies.every(({ name, age, attributes }, i) => {
    const other = told[i]!
    return roughly(age) === other.age && name === other.name && attributes === other.attributes
  })
}

/** The fingerprints of their values, as one text. */
export function fingerprintsOf(cookies: readonly CookieRecord[]): string {
  if (cookies.length === 1) return cookies[0]!.fingerprint
  return cookies.map(({ fingerprint }) => fingerprint).join(' ')
}

/**
 * Would cookies set now tell the store nothing new? An application that sets the same cookie with each response tells no more
 * than a later expiry; a tenth may pass.
 */
export function areToldAlready(cookies: readonly CookieRecord[], told: ToldCookies, elapsed: Milliseconds): boolean {
  if (told.length !== cookies.length) return false
  return cookies.every(({ name, age, attributes }, i) => {
    const before = told[i]!
    const later = elapsed + age - before.age
    return name === before.name && attributes === before.attributes && Math.abs(later) < touchInterval(age)
  })
}

/** The same text in memory of its own: a slice would keep the whole response head alive. */
function ownCopy(slice: string): string {
  return Buffer.from(slice).toString()
}

import { deadlineOf, storable, tombstoneAge } from './ageing.ts'
import type { Binding, CookieRecord, CookieRow, Ended, Milliseconds, SessionKey, SessionRow, Terms } from './store.ts'

/** As many cookies as a session keeps. */
const mostCookies = 64

/** A session, or its tombstone, as memory holds it; replaced whole at each change. */
export interface MemorySession {
  readonly row: Binding | Ended
  /** From then on there is no row. */
  readonly ends: Milliseconds
  readonly touched: Milliseconds
  readonly source: string
  readonly cookies: readonly CookieRow[]
}

interface Moment {
  readonly now: Milliseconds
  readonly version: number
  readonly epoch: number
}

/** A session's first binding, or its next one, which keeps created, end and cookies. */
export function bound(
  held: MemorySession | undefined,
  backend: string,
  terms: Terms,
  { now, version, epoch }: Moment,
): MemorySession {
  const before = held?.row.state === 'bound' ? held.row : undefined
  const lifetime = storable(terms.lifetime ?? 0)
  const row: Binding = {
    state: 'bound',
    backend,
    version,
    epoch,
    created: before?.created ?? now,
    age: storable(terms.age),
    deadline: 0,
    end: before?.end ?? (lifetime > 0 ? now + lifetime : 0),
    endsWithLastCookie: terms.endsWithLastCookie === true,
    source: terms.source,
  }
  const cookies = merged(before ? held!.cookies : [], terms.cookies ?? [], now)
  return aged({ row, ends: 0, touched: now, source: terms.source, cookies }, row)
}

/** The session with its age renewed. */
export function touched(session: MemorySession, row: Binding, now: Milliseconds): MemorySession {
  return aged({ ...session, touched: now }, row)
}

/** The session with the cookies a response set; undefined when it ended with its last one. */
export function recorded(
  session: MemorySession,
  row: Binding,
  set: readonly CookieRecord[],
  now: Milliseconds,
): MemorySession | undefined {
  const cookies = merged(session.cookies, set, now)
  if (row.endsWithLastCookie && session.cookies.length > 0 && cookies.length === 0) return undefined
  return aged({ ...session, cookies }, row)
}

/** The tombstone in the session's place. */
export function buried(session: MemorySession, row: Binding, { now, version, epoch }: Moment): MemorySession {
  return { ...session, row: { state: 'ended', version, epoch }, ends: now + tombstoneAge(row.age), cookies: [] }
}

/** The session as people see it. */
export function shown(key: SessionKey, session: MemorySession, row: Binding, now: Milliseconds): SessionRow {
  const cookies = session.cookies.filter(({ expires }) => expires > now)
  return { ...row, key, source: session.source, touched: session.touched, cookies }
}

function aged(session: MemorySession, row: Binding): MemorySession {
  const { touched, cookies } = session
  const endsWithCookie = row.endsWithLastCookie && cookies.length > 0
  const lastCookie = endsWithCookie ? Math.max(...cookies.map(({ expires }) => expires)) : undefined
  const deadline = deadlineOf({ touched, age: row.age, end: row.end, lastCookie })
  return { ...session, row: { ...row, deadline }, ends: deadline }
}

function merged(held: readonly CookieRow[], set: readonly CookieRecord[], now: Milliseconds): readonly CookieRow[] {
  const cookies = new Map(held.filter(({ expires }) => expires > now).map((cookie) => [cookie.name, cookie]))
  for (const { name, fingerprint, age, attributes } of set) {
    cookies.delete(name)
    if (storable(age) > 0) cookies.set(name, { name, fingerprint, attributes, expires: now + storable(age) })
  }
  if (cookies.size <= mostCookies) return [...cookies.values()]
  return [...cookies.values()].sort((a, b) => b.expires - a.expires).slice(0, mostCookies)
}

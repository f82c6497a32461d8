import { type Ageing, deadlineOf, storable } from './ageing.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Binding, CookieRecord, CookieRow, Milliseconds, Row, SessionKey, SessionRow, Terms } from './store.ts'
import { firstCode, wordOf } from './words.ts'

/*
 * A row as Redis holds it, big-endian; lua/row.lua reads and writes the same:
 *   7 version, microseconds · 5 touched, since created · 6 created · 5 age · 1 flags · 5 lifetime, if flagged
 *   backend · source · then each cookie: 5 expiry, since created · 8 fingerprint · name · attributes
 * Texts are as ByteWriter writes them. A tombstone ends after its flags. Times since created make a first binding's
 * bytes independent of the clock.
 */
const at = { version: 0, touched: 7, created: 12, age: 18, flags: 23, lifetime: 24 } as const
const flag = { ended: 1, endsWithLastCookie: 2, lifetime: 4 } as const
const cookieHead = 5 + 8
/** As many cookies as a row keeps; lua/row.lua has the same limit. */
const mostCookies = 64

/** Writes what follows `created` in the row of a session that begins now, up to its cookies; lua/bind.lua puts the rest before it. */
export function writeTerms(bytes: ByteWriter, backend: string, terms: Terms): void {
  const lifetime = storable(terms.lifetime ?? 0)
  bytes.unsigned(storable(terms.age), 5)
  bytes.unsigned((terms.endsWithLastCookie ? flag.endsWithLastCookie : 0) | (lifetime > 0 ? flag.lifetime : 0), 1)
  if (lifetime > 0) bytes.unsigned(lifetime, 5)
  bytes.literal(backend)
  bytes.text(terms.source)
}

/** What a first binding keeps of the cookies of its response: the last of each name, and none that is dropped. */
export function keptCookies(cookies: readonly CookieRecord[]): readonly CookieRecord[] {
  return cookies.filter(
    ({ name, age }, i) => storable(age) > 0 && !cookies.some((later, j) => j > i && later.name === name),
  )
}

/** Writes cookies as they follow each other in a row; an age of 0 drops one. */
export function writeCookies(bytes: ByteWriter, cookies: readonly CookieRecord[]): void {
  for (const { name, fingerprint, age, attributes } of cookies.slice(-mostCookies)) {
    bytes.unsigned(storable(age), 5)
    bytes.base64(fingerprint, 8)
    bytes.text(name)
    bytes.text(attributes)
  }
}

/** The binding a first `bind` made at `version`, without reading it back. */
export function begun(backend: string, terms: Terms, version: number, epoch: number): Binding {
  const created = Math.floor(version / 1000)
  const lifetime = storable(terms.lifetime ?? 0)
  const age = storable(terms.age)
  const end = lifetime > 0 ? created + lifetime : 0
  const lastCookie = terms.endsWithLastCookie ? lastOf(keptCookies(terms.cookies ?? []), created) : undefined
  const deadline = deadlineOf({ touched: created, age, end, lastCookie })
  return {
    state: 'bound',
    backend,
    version,
    epoch,
    created,
    age,
    deadline,
    end,
    endsWithLastCookie: terms.endsWithLastCookie === true,
    source: terms.source,
  }
}

function lastOf(cookies: readonly CookieRecord[], created: Milliseconds): Milliseconds | undefined {
  let last: Milliseconds | undefined
  for (const { age } of cookies) last = Math.max(last ?? 0, created + storable(age))
  return last
}

/** What a look-up answers for the bytes found. */
export function decodeRow(bytes: Buffer | null, epoch: number): Row {
  if (bytes === null) return { state: 'absent', version: 0, epoch }
  const flags = bytes[at.flags]!
  const version = bytes[at.version]! * 2 ** 48 + bytes.readUIntBE(at.version + 1, 6)
  if (flags & flag.ended) return { state: 'ended', version, epoch }
  const ageing = ageingOf(bytes)
  return {
    state: 'bound',
    backend: text(bytes, backendAt(bytes)),
    version,
    epoch,
    created: bytes.readUIntBE(at.created, 6),
    age: ageing.age,
    deadline: deadlineOf(ageing),
    end: ageing.end,
    endsWithLastCookie: (flags & flag.endsWithLastCookie) !== 0,
    source: text(bytes, sourceAt(bytes)),
  }
}

/** The whole row, for people; undefined for none and for a tombstone. `now` hides cookies that have expired. */
export function decodeSession(
  key: SessionKey,
  bytes: Buffer | null,
  epoch: number,
  now: Milliseconds,
): SessionRow | undefined {
  const binding = decodeRow(bytes, epoch)
  if (bytes === null || binding.state !== 'bound') return undefined
  const cookies = [...cookiesOf(bytes)].filter(({ expires }) => expires > now)
  return {
    ...binding,
    key,
    source: text(bytes, sourceAt(bytes)),
    touched: touchedOf(bytes),
    cookies,
  }
}

function ageingOf(bytes: Buffer): Ageing {
  const flags = bytes[at.flags]!
  const created = bytes.readUIntBE(at.created, 6)
  const ageing = {
    touched: touchedOf(bytes),
    age: bytes.readUIntBE(at.age, 5),
    end: flags & flag.lifetime ? created + bytes.readUIntBE(at.lifetime, 5) : 0,
  }
  if (!(flags & flag.endsWithLastCookie)) return ageing
  let lastCookie: Milliseconds | undefined
  for (const { expires } of cookiesOf(bytes)) lastCookie = Math.max(lastCookie ?? 0, expires)
  return { ...ageing, lastCookie }
}

function* cookiesOf(bytes: Buffer): Iterable<CookieRow> {
  const created = bytes.readUIntBE(at.created, 6)
  let position = afterText(bytes, sourceAt(bytes))
  while (position < bytes.length) {
    const name = position + cookieHead
    const attributes = afterText(bytes, name)
    yield {
      name: text(bytes, name),
      fingerprint: bytes.toString('base64url', position + 5, name),
      attributes: text(bytes, attributes),
      expires: created + bytes.readUIntBE(position, 5),
    }
    position = afterText(bytes, attributes)
  }
}

function touchedOf(bytes: Buffer): Milliseconds {
  return bytes.readUIntBE(at.created, 6) + bytes.readUIntBE(at.touched, 5)
}

function backendAt(bytes: Buffer): number {
  return bytes[at.flags]! & flag.lifetime ? at.lifetime + 5 : at.lifetime
}

function sourceAt(bytes: Buffer): number {
  return afterText(bytes, backendAt(bytes))
}

function text(bytes: Buffer, start: number): string {
  const length = bytes[start]!
  return length < firstCode ? bytes.toString('utf8', start + 1, start + 1 + length) : wordOf(length)
}

function afterText(bytes: Buffer, start: number): number {
  const length = bytes[start]!
  return length < firstCode ? start + 1 + length : start + 1
}

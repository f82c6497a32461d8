import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteWriter } from './byte-writer.ts'
import { begun, decodeRow, decodeSession, keptCookies, writeCookies, writeTerms } from './redis-row.ts'
import type { Terms } from './store.ts'

const texts = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('session-cookie', 'JSESSIONID', 'Path=/; HttpOnly'),
)
const ages = fc.integer({ min: 1, max: 2 ** 38 })
const fingerprints = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((b) => Buffer.from(b).toString('base64url'))
const cookies = fc.record({ name: texts, fingerprint: fingerprints, age: ages, attributes: texts })
const termsOf: fc.Arbitrary<Terms> = fc.record({
  age: ages,
  lifetime: fc.option(ages, { nil: undefined }),
  endsWithLastCookie: fc.boolean(),
  source: texts,
  cookies: fc.array(cookies, { maxLength: 5 }),
})
const backends = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)
const versions = fc.integer({ min: 1_700_000_000_000_000, max: 2_500_000_000_000_000 })

/** What lua/bind.lua makes of terms: version, no touch since the beginning, beginning. */
function rowOf(backend: string, terms: Terms, version: number): Buffer {
  const bytes = new ByteWriter()
  bytes.unsigned(Math.floor(version / 2 ** 48), 1)
  bytes.unsigned(version % 2 ** 48, 6)
  bytes.unsigned(0, 5)
  bytes.unsigned(Math.floor(version / 1000), 6)
  writeTerms(bytes, backend, terms)
  writeCookies(bytes, keptCookies(terms.cookies ?? []))
  return bytes.take()
}

test('a row reads as what was written, and as the binding told without reading it', () => {
  fc.assert(
    fc.property(backends, termsOf, versions, (backend, terms, version) => {
      const bytes = rowOf(backend, terms, version)
      const key = { pool: 'shop', id: 'id' }

      const shown = decodeSession(key, bytes, 7, 0)!

      expect(decodeRow(bytes, 7)).toEqual(begun(backend, terms, version, 7))
      expect(shown).toMatchObject({ backend, version, key, source: terms.source, age: terms.age, epoch: 7 })
      expect(shown.cookies).toEqual(
        keptCookies(terms.cookies!).map(({ name, fingerprint, attributes, age }) => ({
          name,
          fingerprint,
          attributes,
          expires: shown.created + age,
        })),
      )
    }),
  )
})

test('text too long for a row is clipped, on a whole character', () => {
  const terms: Terms = { age: 1000, source: 'é'.repeat(200), cookies: [] }

  const shown = decodeSession({ pool: 'shop', id: 'id' }, rowOf('a', terms, 1_800_000_000_000_000), 0, 0)!

  expect(shown.source).toBe('é'.repeat(119))
})

test('a backend that bears the name of a common word keeps it', () => {
  const row = decodeRow(rowOf('sessionid', { age: 1000, source: '' }, 1_800_000_000_000_000), 0)

  expect(row).toMatchObject({ backend: 'sessionid' })
})

test('an ordinary row takes 42 bytes', () => {
  const cookie = { name: 'JSESSIONID', fingerprint: 'AAAAAAAAAAA', age: 1_800_000, attributes: 'Path=/; HttpOnly' }
  const terms: Terms = { age: 1_800_000, source: 'session-cookie', cookies: [cookie] }

  expect(rowOf('a', terms, 1_800_000_000_000_000).length).toBe(42)
})

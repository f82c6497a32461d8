import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Keyring } from './keyring.ts'
import { readSeal, type Seal, writeSeal } from './seal.ts'
import { Sealer } from './sealer.ts'

const keys = new Keyring({ secrets: ['a secret'], openedByAll: [] }).keysOf('shop')
const key = [...keys.values()][0]!

describe('a seal', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(anySeal, (seal) => {
        expect(readSeal(writeSeal(seal, key), keys)).toEqual({ ...seal, keyId: key.id })
      }),
    )
  })

  test('is a cookie value of 88 characters', () => {
    fc.assert(
      fc.property(anySeal, (seal) => {
        expect(writeSeal(seal, key)).toMatch(/^[A-Za-z0-9_-]{88}$/)
      }),
    )
  })

  test('is refused with any single bit flipped', () => {
    fc.assert(
      fc.property(anySeal, (seal) => {
        const bytes = Buffer.from(writeSeal(seal, key), 'base64url')
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const flipped = Buffer.from(bytes)
          flipped[bit >> 3]! ^= 1 << (bit & 7)
          if (readSeal(flipped.toString('base64url'), keys) !== undefined) expect.fail(`bit ${bit}`)
        }
      }),
      { numRuns: 5 },
    )
  })

  test('is refused with any character changed', () => {
    const text = writeSeal(seal, key)
    for (let at = 0; at < text.length; at++) {
      for (const other of ['A', '_', '+', '/', '=', ' ', '"', 'é']) {
        if (text[at] === other) continue
        expect(readSeal(text.slice(0, at) + other + text.slice(at + 1), keys)).toBeUndefined()
      }
    }
  })

  test.for(['', 'x', 'A'.repeat(88), 'A'.repeat(89), '-'.repeat(88), 'é'.repeat(88), '='.repeat(88), '\0'.repeat(88)])(
    'is not made of %j',
    (text) => {
      expect(readSeal(text, keys)).toBeUndefined()
    },
  )

  test('is refused in any other spelling', () => {
    const text = writeSeal(seal, key)

    for (const other of [`${text}=`, ` ${text}`, `${text}A`, text.slice(1), text.toUpperCase()]) {
      expect(readSeal(other, keys)).toBeUndefined()
    }
    const standard = Buffer.from(text, 'base64url').toString('base64')
    expect(standard === text || readSeal(standard, keys) === undefined).toBe(true)
  })

  test('of another pool or another secret is foreign', () => {
    const text = writeSeal(seal, key)

    expect(readSeal(text, new Keyring({ secrets: ['a secret'], openedByAll: [] }).keysOf('other'))).toBeUndefined()
    expect(readSeal(text, new Keyring({ secrets: ['another'], openedByAll: [] }).keysOf('shop'))).toBeUndefined()
  })
})

describe('a hint', () => {
  const backends = ['a', 'b', 'c']
  const sealerOf = (secret: string, known: readonly string[] = backends): Sealer =>
    new Sealer('shop', known, new Keyring({ secrets: [secret], openedByAll: [] }))
  const sealed = (backend: string, id = seal.id): string =>
    sealerOf('a secret').seal({ pool: 'shop', id }, backend, seal)

  test.for(backends)('tells another node of the same secret that %s is meant', (backend) => {
    expect(sealerOf('a secret').open(sealed(backend))?.home).toEqual([backend])
  })

  test('of a backend that this node does not know means none', () => {
    expect(sealerOf('a secret', ['a', 'b']).open(sealed('c'))?.home).toEqual([])
  })

  test('differs between sessions of one backend, and names it nowhere', () => {
    const [one, other] = [sealed('backend-one', 'A'.repeat(22)), sealed('backend-one', `${'A'.repeat(20)}Bw`)]
    const hint = (text: string) => Buffer.from(text, 'base64url').readUInt32BE(21)

    expect(hint(one)).not.toBe(hint(other))
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('backend')
  })
})

const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const anySeal: fc.Arbitrary<Omit<Seal, 'keyId'>> = fc
  .record({
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    hint: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    version: fc.maxSafeNat(),
    epoch: fc.maxSafeNat(),
    sealed: moment,
    lasts: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
    provisional: fc.boolean(),
  })
  .map(({ lasts, ...seal }) => ({ ...seal, end: seal.sealed + lasts }))

const seal: Omit<Seal, 'keyId'> = {
  id: 'abcdefghijklmnopqrstuQ',
  hint: 1,
  version: 1_700_000_000_000_000,
  epoch: 1_600_000_000_000_000,
  sealed: 1_700_000_000_000,
  end: 1_700_000_100_000,
  provisional: false,
}

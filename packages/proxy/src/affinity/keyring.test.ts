import { expect, test } from 'vitest'

import { Keyring, keyId, openedByAll } from './keyring.ts'
import { Sealer } from './sealer.ts'

const session = { pool: 'shop', id: 'AAAAAAAAAAAAAAAAAAAAAA' }
const terms = { version: 1, epoch: 2, sealed: 3, end: 4, provisional: false }

test('only a key that every live node opens is sealed with', () => {
  const [older, newer] = ['an older secret', 'a newer secret']
  const upgraded = new Keyring({ secrets: [newer, older], openedByAll: [keyId(older)] })
  const notYet = new Keyring({ secrets: [older], openedByAll: [keyId(older)] })

  const sealed = new Sealer('shop', ['a'], upgraded).seal(session, 'a', terms)

  expect(new Sealer('shop', ['a'], notYet).open(sealed)?.home).toEqual(['a'])
})

test('the newest key is sealed with once all announced that they open it', () => {
  const secrets = ['a newer secret', 'an older secret']
  const keyring = new Keyring({ secrets, openedByAll: [] })
  const sealer = new Sealer('shop', ['a'], keyring)
  const before = sealer.open(sealer.seal(session, 'a', terms))!

  keyring.update({ secrets, openedByAll: secrets.map(keyId) })
  const after = sealer.open(sealer.seal(session, 'a', terms))!

  expect(before.seal.keyId).not.toBe(after.seal.keyId)
  expect(sealer.isCurrent(before.seal)).toBe(false)
  expect(sealer.isCurrent(after.seal)).toBe(true)
})

test('while nobody is known to open anything, the oldest key is sealed with', () => {
  const keyring = new Keyring({ secrets: ['newer', 'older'], openedByAll: [] })
  const alone = new Keyring({ secrets: ['older'], openedByAll: [] })

  const sealed = new Sealer('shop', ['a'], keyring).seal(session, 'a', terms)

  expect(new Sealer('shop', ['a'], alone).open(sealed)).toBeDefined()
})

test('a cookie of a key that was taken away opens no more, although it was seen before', () => {
  const keyring = new Keyring({ secrets: ['old'], openedByAll: [] })
  const sealer = new Sealer('shop', ['a'], keyring)
  const sealed = sealer.seal(session, 'a', terms)
  expect(sealer.open(sealed)).toBeDefined()

  keyring.update({ secrets: ['new'], openedByAll: [] })

  expect(sealer.open(sealed)).toBeUndefined()
})

test.for([
  [[], []],
  [[['x', 'y']], ['x', 'y']],
  [
    [
      ['x', 'y'],
      ['y', 'z'],
    ],
    ['y'],
  ],
  [[['x'], ['y']], []],
] as const)('nodes that open %j all open %j', ([nodes, common]) => {
  expect(openedByAll(nodes.map((opens) => ({ opens })))).toEqual(common)
})

test('a key id tells nothing of its secret but which one it is', () => {
  expect(keyId('secret')).toMatch(/^[0-9a-f]{8}$/)
  expect(keyId('secret')).not.toBe(keyId('secrets'))
})

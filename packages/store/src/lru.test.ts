import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Linked, SessionLru } from './lru.ts'
import type { SessionKey } from './store.ts'

interface Entry extends Linked<Entry> {
  readonly value: number
}

const entryOf = (key: SessionKey, value: number): Entry => ({ ...key, value, newer: undefined, older: undefined })
const keys = fc.record({ pool: fc.constantFrom('a', 'b'), id: fc.constantFrom('1', '2', '3', '4', '5') })
const operations = fc.array(fc.tuple(fc.constantFrom('put', 'use', 'peek', 'remove'), keys), { maxLength: 100 })

test('it holds what a list of keys in order of use would', () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const limit = 4
      const lru = new SessionLru<Entry>(limit)
      let model: { name: string; value: number }[] = []
      for (const [value, [operation, key]] of steps.entries()) {
        const name = `${key.pool}/${key.id}`
        const held = model.find((entry) => entry.name === name)
        const others = model.filter((entry) => entry !== held)
        if (operation === 'put') {
          lru.remove(key)
          lru.add(entryOf(key, value))
          model = [...others, { name, value }].slice(-limit)
        } else if (operation === 'remove') {
          lru.remove(key)
          model = others
        } else {
          const found = operation === 'use' ? lru.use(key) : lru.peek(key)
          expect(found?.value).toBe(held?.value)
          if (operation === 'use' && held) model = [...others, held]
        }
        expect(lru.size).toBe(model.length)
      }
    }),
  )
})

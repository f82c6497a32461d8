import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NearPlaces, nowhere } from './near-places.ts'
import type { SessionKey } from './store.ts'

const keys = fc.record({ pool: fc.constantFrom('a', 'b'), id: fc.constantFrom('1', '2', '3', '4', '5') })
const operations = fc.array(fc.tuple(fc.constantFrom('put', 'use', 'peek', 'remove'), keys), { maxLength: 100 })

test('it holds what a list of keys in order of use would', () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const limit = 4
      const places = new NearPlaces(limit)
      const values: number[] = []
      let model: { name: string; value: number }[] = []
      for (const [value, [operation, key]] of steps.entries()) {
        const name = `${key.pool}/${key.id}`
        const held = model.find((entry) => entry.name === name)
        const others = model.filter((entry) => entry !== held)
        if (operation === 'put') {
          give(places, key)
          values[places.peek(key)] = value
          model = [...others, { name, value }].slice(-limit)
        } else if (operation === 'remove') {
          take(places, key)
          model = others
        } else {
          const found = operation === 'use' ? places.use(key) : places.peek(key)
          expect(found === nowhere ? undefined : values[found]).toBe(held?.value)
          if (operation === 'use' && held) model = [...others, held]
        }
        expect(places.size).toBe(model.length)
      }
    }),
  )
})

test('places given up are given again before there are new ones', () => {
  const places = new NearPlaces(5000)
  const all = Array.from({ length: 3000 }, (_, n) => ({ pool: 'a', id: `${n}` }))

  for (let turn = 0; turn < 3; turn++) {
    for (const key of all) places.add(key)
    expect(Math.max(...all.map((key) => places.peek(key)))).toBe(2999)
    for (const key of all) take(places, key)
  }

  expect(places.size).toBe(0)
})

function give(places: NearPlaces, key: SessionKey): void {
  take(places, key)
  places.add(key)
}

function take(places: NearPlaces, key: SessionKey): void {
  const place = places.peek(key)
  if (place !== nowhere) places.remove(place)
}

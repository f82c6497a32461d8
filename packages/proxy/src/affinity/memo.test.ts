import { expect, test } from 'vitest'

import { Memo, ownCopy } from './memo.ts'

test('a memo never holds more than its capacity', () => {
  const memo = new Memo<number>(10)

  for (let number = 0; number < 1000; number++) memo.set(`${number}`, number)

  const held = Array.from({ length: 1000 }, (_, number) => memo.get(`${number}`)).filter((value) => value !== undefined)
  expect(held.length).toBeLessThanOrEqual(10)
})

test('a memo holds no text that could fill the memory by itself', () => {
  const memo = new Memo<string>(10)

  memo.set('x'.repeat(16_000), 'value')

  expect(memo.get('x'.repeat(16_000))).toBeUndefined()
})

test('what is asked for stays while others come and go', () => {
  const memo = new Memo<string>(10)
  memo.set('kept', 'value')

  for (let number = 0; number < 1000; number++) {
    memo.set(`${number}`, 'other')
    expect(memo.get('kept')).toBe('value')
  }
})

test('a copy is the same text, high bytes included', () => {
  const head = 'Cookie: a=caf\xe9\xff; b=2'

  expect(ownCopy(head.slice(10, 15))).toBe('caf\xe9\xff')
})

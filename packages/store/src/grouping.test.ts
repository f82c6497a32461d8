import { expect, test } from 'vitest'
import { Grouping } from './grouping.ts'

const turn = () => new Promise(setImmediate)

test('what is added in one turn is sent together, in order', async () => {
  const sent: number[][] = []
  const grouping = new Grouping<number>((items) => sent.push(items))

  grouping.add(1)
  await Promise.resolve()
  grouping.add(2)
  await turn()
  grouping.add(3)
  await turn()

  expect(sent).toEqual([[1, 2], [3]])
})

test('128 items wait for no more', async () => {
  const sizes: number[] = []
  const grouping = new Grouping<number>((items) => sizes.push(items.length))

  for (let i = 0; i < 300; i++) grouping.add(i)
  expect(sizes).toEqual([128, 128])
  await turn()

  expect(sizes).toEqual([128, 128, 44])
})

test('items added while others are sent go with the next', async () => {
  const sent: number[][] = []
  const grouping: Grouping<number> = new Grouping((items) => {
    sent.push(items)
    if (items[0]! < 3) grouping.add(items[0]! + 1)
  })

  grouping.add(1)
  await turn()
  await turn()
  await turn()

  expect(sent).toEqual([[1], [2], [3]])
})

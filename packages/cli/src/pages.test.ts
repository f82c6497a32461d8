import { expect, test } from 'vitest'

import { pages } from './pages.ts'

test('rows come in pages of the size asked for, the last one shorter', async () => {
  const cut = await collected(pages(rowsUpTo(5), { size: 2, patience: 60_000 }))

  expect(cut).toEqual([[1, 2], [3, 4], [5]])
})

test('no rows are no pages', async () => {
  expect(await collected(pages(rowsUpTo(0), { size: 2, patience: 60_000 }))).toEqual([])
})

test('a page that does not fill up comes when patience is over', async () => {
  const rest = Promise.withResolvers<void>()
  const cut = pages(pausing(rest.promise), { size: 100, patience: 5 })

  const first = await cut.next()
  rest.resolve()
  const second = await cut.next()

  expect(first.value).toEqual(['early'])
  expect(second.value).toEqual(['late'])
})

test('a source that fails fails its pages, after what came before', async () => {
  const cut = pages(failing(), { size: 2, patience: 60_000 })

  expect((await cut.next()).value).toEqual([1, 2])
  await expect(cut.next()).rejects.toThrow('broke off')
})

test('leaving early closes the source', async () => {
  let closed = false
  async function* source(): AsyncGenerator<number> {
    try {
      for (let n = 1; ; n++) yield n
    } finally {
      closed = true
    }
  }

  for await (const page of pages(source(), { size: 3, patience: 60_000 })) if (page.length === 3) break

  expect(closed).toBe(true)
})

async function* rowsUpTo(last: number): AsyncGenerator<number> {
  for (let n = 1; n <= last; n++) yield n
}

async function* pausing(rest: Promise<void>): AsyncGenerator<string> {
  yield 'early'
  await rest
  yield 'late'
}

async function* failing(): AsyncGenerator<number> {
  yield 1
  yield 2
  throw new Error('broke off')
}

async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = []
  for await (const value of values) all.push(value)
  return all
}

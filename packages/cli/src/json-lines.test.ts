import { expect, test } from 'vitest'

import { jsonLines } from './json-lines.ts'

test('lines come whole wherever the bytes were cut', async () => {
  const bytes = Buffer.from('{"name":"ä"}\n{"name":"b"}\n')

  for (let cut = 0; cut <= bytes.length; cut++) {
    const values = await collected(jsonLines(chunks(bytes.subarray(0, cut), bytes.subarray(cut))))
    expect(values).toEqual([{ name: 'ä' }, { name: 'b' }])
  }
})

test('a first line does not wait for the last', async () => {
  const lines = jsonLines(unfinished('1\n2'))

  expect((await lines.next()).value).toBe(1)
  await lines.return(undefined)
})

test.each([
  ['a stream that breaks off in a line', '{"a":1}\n{"a"'],
  ['what is no JSON', '<html>\n'],
  ['an empty line', '\n'],
  ['a line without end', `"${'x'.repeat(2 << 20)}`],
])('%s is an error', async (_, text) => {
  await expect(collected(jsonLines(chunks(Buffer.from(text))))).rejects.toThrow(SyntaxError)
})

async function* chunks(...buffers: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* buffers
}

async function* unfinished(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
  await new Promise(() => {})
}

async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = []
  for await (const value of values) all.push(value)
  return all
}

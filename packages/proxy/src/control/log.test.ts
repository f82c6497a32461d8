import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { openLog } from './log.ts'

test('an event is one JSON line with level, RFC 3339 time, node and fields', () => {
  const [line] = logged((output) => output.log.warn({ worker: 3 }, 'worker ended'))

  expect(line).toMatchObject({ level: 'warn', node: 'n1', worker: 3, msg: 'worker ended', pid: process.pid })
  expect(line!.time).toBe(new Date(line!.time as string).toISOString())
})

test('an error with an endless stack still fits a line', () => {
  const error = new Error('x'.repeat(9000), { cause: new Error('y'.repeat(9000)) })

  const [line] = logged((output) => output.log.error({ err: error }, 'worker ended'))

  expect(JSON.stringify(line).length).toBeLessThan(4096)
  expect(line).toMatchObject({ err: { type: 'Error' } })
})

test('lines made elsewhere keep their place among events', () => {
  const lines = logged((output) => {
    output.log.info({}, 'first')
    output.lines.write('{"msg":"second"}\n')
    output.log.info({}, 'third')
  })

  expect(lines.map((line) => line.msg)).toEqual(['first', 'second', 'third'])
})

function logged(write: (output: ReturnType<typeof openLog>) => void): Record<string, unknown>[] {
  const file = join(mkdtempSync(join(tmpdir(), 'sticky-log-')), 'log')
  const fd = openSync(file, 'a')
  const output = openLog({ node: 'n1', fd })
  write(output)
  output.flush()
  const text = readFileSync(file, 'utf8')
  closeSync(fd)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

import { mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { type LogOutput, openLog } from './log.ts'

test('an event is one JSON line with level, RFC 3339 time, node and fields', async () => {
  const [line] = await logged((output) => output.log.warn({ worker: 3 }, 'worker ended'))

  expect(line).toMatchObject({ level: 'warn', node: 'n1', worker: 3, msg: 'worker ended', pid: process.pid })
  expect(line!.time).toBe(new Date(line!.time as string).toISOString())
})

test('an error with an endless stack still fits a line', async () => {
  const error = new Error('x'.repeat(9000), { cause: new Error('y'.repeat(9000)) })

  const [line] = await logged((output) => output.log.error({ err: error }, 'worker ended'))

  expect(JSON.stringify(line).length).toBeLessThan(4096)
  expect(line).toMatchObject({ err: { type: 'Error' } })
})

test('lines made elsewhere keep their place among events', async () => {
  const lines = await logged((output) => {
    output.log.info({}, 'first')
    output.lines.write('{"msg":"second"}\n')
    output.log.info({}, 'third')
  })

  expect(lines.map((line) => line.msg)).toEqual(['first', 'second', 'third'])
})

test('what is told after the end is lost, not an error', async () => {
  let late: LogOutput | undefined
  await logged((output) => {
    late = output
  })

  late!.log.info({}, 'too late')
})

async function logged(write: (output: LogOutput) => void): Promise<Record<string, unknown>[]> {
  const file = join(mkdtempSync(join(tmpdir(), 'sticky-log-')), 'log')
  {
    await using output = openLog({ node: 'n1', fd: openSync(file, 'a') })
    write(output)
  }
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

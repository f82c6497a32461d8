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

test('whatever bytes an event tells of, its line is ASCII and tells them', async () => {
  const odd =
    'NUL \0 escape \u001b[2J line end \r\n next line \u0085 separator \u2028 surrogate \ud800 DEL \x7f quote " é'

  const raw = await written((output) => output.log.warn({ reason: odd, err: new Error(odd) }, 'script failed'))

  expect(raw).toMatch(/^[\x20-\x7e]+\n$/)
  expect(JSON.parse(raw)).toMatchObject({ reason: odd, err: { message: odd } })
})

test.each([
  ['of many texts', { mistakes: Array.from({ length: 500 }, (_, n) => `sticky.yaml:${n}:1: ${'x'.repeat(200)}`) }],
  ['of long texts', { reason: 'x'.repeat(9000) }],
  ['of many long texts that have to be escaped', { reasons: Array.from({ length: 50 }, () => '\u0085'.repeat(900)) }],
  ['of an error that has to be escaped', { err: new Error('\0'.repeat(900), { cause: '\u2028'.repeat(900) }) }],
])('an event %s still fits a line, and tells how it begins', async (_, fields) => {
  const raw = await written((output) => output.log.error(fields, 'configuration refused'))

  expect(Buffer.byteLength(raw)).toBeLessThanOrEqual(4096)
  expect(JSON.parse(raw)).toMatchObject({ level: 'error', msg: 'configuration refused', node: 'n1' })
})

test('of a list that is too long the first are told, and how many there are besides', async () => {
  const mistakes = Array.from({ length: 120 }, (_, n) => `sticky.yaml:${n}:1: ${'x'.repeat(100)}`)

  const [line] = await logged((output) => output.log.error({ mistakes }, 'configuration refused'))

  expect(line!.mistakes).toEqual([...mistakes.slice(0, 20), '… and 100 more'])
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
  const lines = (await written(write)).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

async function written(write: (output: LogOutput) => void): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'sticky-log-')), 'log')
  {
    await using output = openLog({ node: 'n1', fd: openSync(file, 'a') })
    write(output)
  }
  return readFileSync(file, 'utf8')
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('log-writer.ts', import.meta.url))

test('lines of several processes stay whole in a pipe whose reader stalls', async () => {
  const script = '"$0" "$1" one & "$0" "$1" other & wait'
  const shell = spawn('sh', ['-c', script, process.execPath, program], { stdio: ['ignore', 'pipe', 'pipe'] })
  // Nobody reads until both have given away far more than a pipe holds.
  for (let reports = ''; reports.split('\n').length <= 2; ) reports += (await once(shell.stderr, 'data'))[0]

  const written = await text(shell.stdout)

  const lines = written
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  for (const writer of ['one', 'other']) {
    const numbers = lines.filter((line) => line.writer === writer).map((line) => line.number)
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, number) => number))
  }
})

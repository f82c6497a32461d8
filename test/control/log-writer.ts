import { openLog } from '../../packages/proxy/src/control/log.ts'

// Writes numbered lines of many lengths to stdout, says on stderr that they are given away, and ends when they are written.
const writer = process.argv[2]!
await using output = openLog({ node: writer })
for (let number = 0; number < 2000; number++) {
  const padding = 'x'.repeat((number * 37) % 3000)
  output.lines.write(`${JSON.stringify({ writer, number, padding })}\n`)
}
process.stderr.write('given away\n')

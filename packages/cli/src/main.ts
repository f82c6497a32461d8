#!/usr/bin/env node
import { runCli } from './cli.ts'

const interruption = new AbortController()
// Once: a second Ctrl-C ends at once, as the terminal's user expects.
process.once('SIGINT', () => interruption.abort())

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // The reader has seen enough, as `head` does: nothing is wrong, and nothing more is wanted.
  if (code === 'EPIPE') process.exit(0)
  process.stderr.write(`sticky-cli: cannot write the answer: ${message}\n`)
  process.exit(1)
})

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: Date.now,
  signal: interruption.signal,
})

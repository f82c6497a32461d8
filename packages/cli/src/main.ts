#!/usr/bin/env node
import { runCli } from './cli.ts'

const interruption = new AbortController()
// Once: a second Ctrl-C ends at once, as the terminal's user expects.
process.once('SIGINT', () => interruption.abort())

// The reader has seen enough, as `head` does: nothing is wrong, and nothing more is wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: Date.now,
  signal: interruption.signal,
})

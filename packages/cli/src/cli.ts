import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'

import { parseAdminAddress } from './admin-address.ts'
import { AdminClient } from './admin-client.ts'
import { createProgram, type GlobalOptions, type Run, usageExitCode } from './arguments.ts'
import { asFailure, CommandFailure, type ExitCode, exitCodes } from './failures.ts'
import { outputTo, visible } from './output.ts'
import { protectIds } from './session-ids.ts'
import type { Clock } from './times.ts'

/** What a run of `sticky-cli` sees of the world. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable
  readonly clock: Clock
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal
}

const defaultAdmin = 'http://127.0.0.1:9901'

/** Runs one command and answers the exit code; whatever fails has been said in one sentence. */
export async function runCli(words: readonly string[], around: Surroundings): Promise<ExitCode> {
  const { environment, stdout, stderr, signal } = around
  const program = createProgram(environment.STICKY_ADMIN || defaultAdmin, runWith(around))
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text.replace(/^error: /, 'sticky-cli: ')),
    })
  }
  try {
    await program.parseAsync(protectIds(words), { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    const usage = usageExitCode(error)
    if (usage !== undefined) return usage
    const failure = asFailure(error)
    stderr.write(`sticky-cli: ${failure.message.split('\n').map(visible).join('\n')}\n`)
    return failure.exitCode
  }
}

function runWith({ environment, stdout, stderr, clock, signal }: Surroundings): Run {
  return async (options, work) => {
    const color = options.color && !environment.NO_COLOR && stdout.isTTY === true
    const output = outputTo(stdout, stderr, options.json ? 'json' : options.output, color)
    const address = parseAdminAddress(options.admin)
    if (!address) throw new CommandFailure(exitCodes.usage, 'STICKY_ADMIN must be http://host:port or unix:/path')
    await using api = new AdminClient({ address, token: readToken(options, environment), signal })
    await work({ api, output, clock, signal })
  }
}

function readToken({ tokenFile }: GlobalOptions, environment: Surroundings['environment']): string | undefined {
  if (tokenFile === undefined) return environment.STICKY_ADMIN_TOKEN?.trim()
  try {
    return readFileSync(tokenFile, 'utf8').trim()
  } catch (cause) {
    throw new CommandFailure(exitCodes.usage, `cannot read the token file: ${(cause as Error).message}`, { cause })
  }
}

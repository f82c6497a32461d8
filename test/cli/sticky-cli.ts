import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

/** What a run of sticky-cli left behind. */
export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** sticky-cli as a process, with nothing of ours in its environment but what is given. */
export function startCli(
  words: readonly string[],
  environment: Record<string, string> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const { STICKY_ADMIN: _a, STICKY_ADMIN_TOKEN: _t, NO_COLOR: _c, ...inherited } = process.env
  const env = { ...inherited, ...environment }
  return spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs sticky-cli to its end. */
export async function stickyCli(words: readonly string[], environment: Record<string, string> = {}): Promise<CliRun> {
  const child = startCli(words, environment)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

import { spawnSync } from 'node:child_process'

/** The first version number a program prints about itself; undefined when it cannot be run. */
export function versionOf(command: string, ...args: string[]): string | undefined {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  return error ? undefined : /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0]
}

import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'

import type { AffinityConfig, Config } from './config.ts'
import type { Draft } from './draft.ts'
import type { Mistake } from './mistakes.ts'

/** The scripts that a file names and that cannot be read; relative paths start at `folder`. */
export function unreadableScripts({ pools = {} }: Draft, folder: string): Mistake[] {
  return Object.entries(pools).flatMap(([pool, contents]) =>
    (contents?.affinity ?? []).flatMap((strategy, index): Mistake[] => {
      const problem = strategy?.script === undefined ? undefined : problemWith(resolve(folder, strategy.script))
      return problem === undefined ? [] : [{ path: ['pools', pool, 'affinity', index, 'script'], problem }]
    }),
  )
}

function problemWith(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    return statSync(file).isFile() ? undefined : `must be a file; ${file} is none`
  } catch (error) {
    return `must be a file that can be read; ${file} cannot (${(error as NodeJS.ErrnoException).code})`
  }
}

/** The configuration with the place of each script's file. */
export function withScriptFiles(config: Config, folder: string): Config {
  const placed = (strategy: AffinityConfig): AffinityConfig =>
    strategy.strategy === 'script' ? { ...strategy, file: resolve(folder, strategy.script) } : strategy
  return { ...config, pools: config.pools.map((pool) => ({ ...pool, affinity: pool.affinity.map(placed) })) }
}

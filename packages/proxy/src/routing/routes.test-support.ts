import type { Client } from '../affinity/strategy.ts'
import type { PathConfig } from '../config/config.ts'

/** A client over plain HTTP. */
export const newcomerFrom: Client = { address: '192.0.2.1', secure: false }

/** Paths as a configuration has them. */
export function pathsOf(paths: string | readonly string[] | undefined): readonly PathConfig[] | undefined {
  return paths === undefined ? undefined : [paths].flat().map((path) => pathOf(path))
}

/** A path as a configuration has it. */
export function pathOf(path: string, parts: Partial<PathConfig> = {}): PathConfig {
  return { path, cookie: undefined, parameter: undefined, ...parts }
}

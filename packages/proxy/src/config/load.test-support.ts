import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { Config } from './config.ts'
import { ConfigErrors, type PlacedMistake } from './config-errors.ts'
import { loadConfig } from './load.ts'
import type { Overrides } from './overrides.ts'

/** Writes a configuration file and loads it. */
export function load(yaml: string, overrides: Overrides = {}, environment: Record<string, string> = {}): Config {
  return loadConfig(written(yaml), overrides, environment)
}

/** Writes a configuration file and answers what is wrong with it, in the file's order. */
export function mistakesIn(...configuration: Parameters<typeof load>): readonly PlacedMistake[] {
  try {
    load(...configuration)
    return []
  } catch (error) {
    if (error instanceof ConfigErrors) return error.mistakes
    throw error
  }
}

/** A pool and a route around these strategies, as a whole file. */
export function withAffinity(strategy: string): string {
  return `pools: { shop: { backends: [{ id: a, url: http://a }], affinity: [${strategy}] } }`
}

function written(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sticky-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'sticky.yaml')
  writeFileSync(file, yaml)
  return file
}

import type { Config } from './config.ts'
import { ConfigErrors, type PlacedMistake } from './config-errors.ts'
import { parseConfig } from './load.ts'
import type { Overrides } from './overrides.ts'

/** The configuration that this text is. */
export function load(yaml: string, overrides: Overrides = {}, environment: Record<string, string> = {}): Config {
  return parseConfig(yaml, 'sticky.yaml', overrides, environment)
}

/** What is wrong with this text, in its order. */
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

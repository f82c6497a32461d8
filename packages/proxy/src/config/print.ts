import { stringify } from 'yaml'

import { filledIn } from './filled-in.ts'
import { type ConfigFile, readConfig } from './load.ts'
import { masked } from './masked.ts'
import type { Overrides } from './overrides.ts'
import { withPresets } from './presets.ts'
import { jsonSchema } from './schema.ts'
import type { SecretSources } from './secrets.ts'

/** What of a configuration is printed: what its file says, or all that it means. */
export type Printed = 'written' | 'effective'

/**
 * A configuration file as YAML that means the same, flags included; secrets that stand in it are masked, references to others
 * kept. `effective`: with presets expanded and every default. Throws `ConfigErrors` for what is no valid configuration.
 */
export function printConfig(
  path: string,
  printed: Printed,
  overrides: Overrides = {},
  environment?: SecretSources['environment'],
): string {
  const file = readConfig(path, overrides, environment)
  return stringify(masked(printed === 'effective' ? effective(file) : file.written), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  })
}

function effective({ config, written, data }: ConfigFile): unknown {
  const expanded = withPresets(written, data)
  const pools = Object.fromEntries(config.pools.map((pool) => [pool.id, pool]))
  return withoutPresetNames(filledIn(jsonSchema(), expanded, { ...config, pools }))
}

/** They have said what they had to say. */
function withoutPresetNames(file: unknown): unknown {
  const { pools, ...rest } = file as { pools: Record<string, { preset?: unknown }> }
  const named = Object.entries(pools).map(([id, { preset: _, ...pool }]) => [id, pool])
  return { ...rest, pools: Object.fromEntries(named) }
}

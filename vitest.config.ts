import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

// What keeps both cores of a small machine busy for long runs alone, so that nothing that waits for the clock runs beside it.
const heavy = [
  'test/promises/{chaos,follow-ups,least-load,one-table}.test.ts',
  'test/wire/**/*.test.ts',
  'test/pack.test.ts',
  'test/demo.test.ts',
]
// These wait for the clock, and put nodes under load meanwhile: two at a time.
const promises = 'test/promises/**/*.test.ts'

const system = {
  globalSetup: ['test/support/global-setup.ts'],
  // Processes rather than threads: these tests start processes of their own and wait for them most of the time.
  pool: 'forks',
  // They start the same programs hundreds of times: half of what a start costs is compiling.
  env: { NODE_COMPILE_CACHE: join(tmpdir(), 'sticky-compile-cache') },
} as const

export default defineConfig({
  test: {
    // Tests and sources run under Node's own loader and type stripping, exactly as in production.
    experimental: { viteModuleRunner: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'examples/**/*.test.ts'],
          // They share the modules they load, which takes longer than most of them.
          isolate: false,
          // By default one core is left to the rest of the machine, which on two cores is half of it.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          ...system,
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [...heavy, promises, '**/node_modules/**'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...system,
          name: 'promises',
          include: [promises],
          exclude: heavy,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: { ...system, name: 'heavy', include: heavy, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
})

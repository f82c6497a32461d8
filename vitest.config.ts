import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Tests and sources run under Node's own loader and type stripping, exactly as in production.
    experimental: { viteModuleRunner: false },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'examples/**/*.test.ts'],
          // By default one core is left to the rest of the machine, which on two cores is half of it.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // Processes rather than threads: these tests start processes of their own and wait for them most of the time.
          pool: 'forks',
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})

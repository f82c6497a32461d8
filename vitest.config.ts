import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Tests and sources run under Node's own loader and type stripping, exactly as in production.
    experimental: { viteModuleRunner: false },
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
  },
})

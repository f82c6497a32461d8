import { expect, test } from 'vitest'

import { drainTerms } from './drain-terms.ts'
import { testConfig } from './fixtures.test-support.ts'

const config = testConfig({ drain: { grace: 5_000 }, shutdownTimeout: 25_000 })

test('a node drains by its configuration, unless it is to be quicker', () => {
  expect(drainTerms(config)).toMatchObject({ grace: 5_000, longest: 25_000 })
  expect(drainTerms(config, 0)).toMatchObject({ grace: 0, longest: 25_000 })
})

test('whoever connects at the end of a grace that is too long still has time to be answered', () => {
  expect(drainTerms({ ...config, shutdownTimeout: 5_000 })).toMatchObject({ grace: 4_000, longest: 5_000 })
})

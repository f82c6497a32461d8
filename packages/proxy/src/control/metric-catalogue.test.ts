import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { type Decision, decisionOf, persistenceCodes } from './decisions.ts'
import { catalogue } from './metric-catalogue.ts'

const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')

test('docs/metrics.md lists every metric as it is exported, and no other', () => {
  const rows = page.match(/^\| `sticky_.*$/gm)

  expect(rows).toEqual(
    Object.values(catalogue).map(({ name, type, labels, help }) => {
      const named = labels.map((label) => `\`${label}\``).join(', ')
      return `| \`${name}\` | ${type} | ${named || '-'} | ${help} |`
    }),
  )
})

test('docs/metrics.md lists every session decision, as does the metric itself', () => {
  const decisions = new Set<Decision>([...persistenceCodes.map(decisionOf), 'full'])

  const listed = Array.from(page.matchAll(/^\| `(\w+)` \| (?:`..`|\|)/gm), ([, word]) => word)
  expect(new Set(listed)).toEqual(decisions)
  for (const decision of decisions) expect(catalogue.decisions.help).toContain(decision)
})

import type * as z from 'zod'

import { type Mistake, type Path, valueAt } from './mistakes.ts'
import { didYouMean, suggestion } from './suggestion.ts'

type Issue = z.core.$ZodIssue

/** The schema's objections to the data as mistakes: what is wrong, what would be right, and what was probably meant. */
export function schemaMistakes(issues: readonly Issue[], data: unknown): Mistake[] {
  const mistakes = issues.flatMap((issue) => mistakesOf(issue, [], data))
  const meant = new Set(mistakes.flatMap(({ meantKey }) => (meantKey === undefined ? [] : [meantKey])))
  // A misspelled key is one mistake, not an unknown key and a missing one.
  return mistakes.filter(({ missingKey }) => missingKey === undefined || !meant.has(missingKey))
}

interface Finding extends Mistake {
  readonly meantKey?: string
  readonly missingKey?: string
}

function mistakesOf(issue: Issue, above: Path, data: unknown): Finding[] {
  const path = [...above, ...(issue.path as Path)]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, issue.message))
  const branch = issue.code === 'invalid_union' ? nearestBranch(issue) : undefined
  if (branch) return branch.flatMap((inner) => mistakesOf(inner, path, data))
  const value = valueAt(data, path)
  if (value === undefined)
    return [{ path, problem: `is missing; it ${expectation(issue)}`, missingKey: path.join('\n') }]
  if (value === null) return [{ path, problem: `is empty; it ${expectation(issue)}` }]
  return [{ path, problem: expectation(issue), detail: detail(issue, value) }]
}

function unknownKey(path: Path, key: string, knownKeys: string): Finding {
  const known = knownKeys.split(' ')
  const meant = suggestion(key, known)
  const remedy = meant === undefined ? `; the keys here are ${known.join(', ')}` : `; did you mean ${meant}?`
  const mistake = { path: [...path, key], problem: `unknown key${remedy}`, atKey: true }
  return meant === undefined ? mistake : { ...mistake, meantKey: [...path, meant].join('\n') }
}

/** The branch that the value was meant for: it objects to something inside, not to the value's kind. */
function nearestBranch(issue: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined {
  return issue.errors.find((branch) =>
    branch.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  )
}

function detail(issue: Issue, value: unknown): string {
  const instead = issue.code === 'custom' ? issue.params?.instead : undefined
  if (instead !== undefined) return `: write ${instead}`
  return `, got ${show(value)}${typeof value === 'string' ? didYouMean(value, words(issue)) : ''}`
}

function expectation(issue: Issue): string {
  return isDiscriminator(issue) ? `must be one of ${words(issue).join(', ')}` : issue.message
}

function words(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  return isDiscriminator(issue) ? ((issue as { options?: unknown[] }).options ?? []).map(String) : []
}

function isDiscriminator(issue: Issue): boolean {
  return issue.code === 'invalid_union' && 'discriminator' in issue
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

import { array, assert, constantFrom, jsonValue, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'

import { ConfigErrors } from './config-errors.ts'
import { load } from './load.test-support.ts'

const keys = ['listen', 'admin', 'node', 'store', 'secrets', 'timeouts', 'limits', 'pools', 'routes', 'address', 'from']
const more = ['backends', 'affinity', 'strategy', 'begin', 'cookies', 'name', 'path', 'host', 'pool', 'url', 'age', '0']

/** Loads, or is refused; nothing else. */
function judged(yaml: string): boolean {
  try {
    return load(yaml).pools.length > 0
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigErrors)
    expect((error as ConfigErrors).mistakes).not.toHaveLength(0)
    return false
  }
}

test('whatever stands in the file, it is read or refused', () => {
  assert(
    property(string(), (text) => void judged(text)),
    { numRuns: 300 },
  )
  assert(
    property(string({ unit: constantFrom(...'{}[]:,-&*!|>\'"%@` \n\t?#$ab1') }), (text) => void judged(text)),
    {
      numRuns: 1000,
    },
  )
})

test('whatever is put in the place of a value, it is read or refused', () => {
  const strange = oneof(jsonValue(), constantFrom(null, '', -1, -0.5, '__proto__', [[]], [null], {}))
  const path = array(constantFrom(...keys, ...more), { minLength: 1, maxLength: 5 })
  const mutation = property(path, strange, (steps, value) => {
    judged(stringify(nested(steps, value)))
    judged(stringify({ ...sound(), ...nested(steps, value) }))
  })
  assert(mutation, { numRuns: 200 })
})

function sound() {
  return {
    listen: [{ address: ':80' }],
    pools: { shop: { backends: [{ id: 'a', url: 'http://a' }], affinity: [{ strategy: 'session-cookie' }] } },
    routes: [{ path: '/*', pool: 'shop' }],
  }
}

function nested(steps: readonly string[], value: unknown): Record<string, unknown> {
  return steps.reduceRight<unknown>((inside, step) => ({ [step]: step === '0' ? [inside] : inside }), value) as Record<
    string,
    unknown
  >
}

import { expect, test } from 'vitest'

import { load, mistakesIn } from './load.test-support.ts'
import { showPath } from './mistakes.ts'

const path = '{ strategy: instance-path }'

function farm(prefixes: readonly string[], affinity = path): string {
  const backends = prefixes.map((prefix, index) => `{ id: g${index}, url: http://g${index}, ${prefix} }`)
  return `pools: { shop: { backends: [${backends.join(', ')}], affinity: [${affinity}] } }`
}

test.each([
  ['a backend without one', farm(['prefix: /GAS1', 'weight: 1']), 'pools.shop.backends[1].prefix'],
  ['the same prefix twice', farm(['prefix: /GAS1', 'prefix: /GAS1']), 'pools.shop.backends[1].prefix'],
  ['one below another', farm(['prefix: /a', 'prefix: /a/b']), 'pools.shop.backends[1].prefix'],
  ['one above another', farm(['prefix: /a/b', 'prefix: /a']), 'pools.shop.backends[1].prefix'],
  ['all paths', farm(['prefix: /']), 'pools.shop.backends[0].prefix'],
  ['a slash at the end', farm(['prefix: /GAS1/']), 'pools.shop.backends[0].prefix'],
  ['no slash at all', farm(['prefix: GAS1']), 'pools.shop.backends[0].prefix'],
  ['a wildcard', farm(['prefix: /GAS/*']), 'pools.shop.backends[0].prefix'],
  ['a query', farm(['prefix: /GAS?x']), 'pools.shop.backends[0].prefix'],
  ['an encoded slash', farm(['prefix: /a%2Fb']), 'pools.shop.backends[0].prefix'],
  ['an empty segment', farm(['prefix: /a//b']), 'pools.shop.backends[0].prefix'],
  ['dots', farm(['prefix: /a/../b']), 'pools.shop.backends[0].prefix'],
  [
    'a start that a backend owns',
    farm(['prefix: /GAS1'], '{ strategy: instance-path, start: /GAS1/x }'),
    'pools.shop.affinity[0].start',
  ],
  [
    'mapped answers beside another strategy',
    farm(['prefix: /GAS1'], '{ strategy: instance-path, mapResponses: true }, { strategy: instance-cookie }'),
    'pools.shop.affinity[0].mapResponses',
  ],
  [
    'two cookies of one name',
    farm(['prefix: /GAS1'], '{ strategy: session-cookie, name: instance }, { strategy: instance-cookie }'),
    'pools.shop.affinity[1].name',
  ],
  [
    'a cookie that browsers would drop',
    farm(['prefix: /GAS1'], '{ strategy: instance-cookie, sameSite: None }'),
    'pools.shop.affinity[0].sameSite',
  ],
])('%s is a mistake', (_, yaml, place) => {
  expect(mistakesIn(yaml).map((mistake) => showPath(mistake.path))).toEqual([place])
})

test.each([
  ['neighbours in letters', farm(['prefix: /GAS1', 'prefix: /GAS10', 'prefix: /gas1'])],
  ['prefixes below the start', farm(['prefix: /gas/1', 'prefix: /gas/2'])],
  ['every path that has none', farm(['prefix: /GAS1'], '{ strategy: instance-path, start: / }')],
  ['a cookie beside', farm(['prefix: /GAS1'], `${path}, { strategy: instance-cookie, start: /gas }`)],
])('%s are none', (_, yaml) => {
  expect(mistakesIn(yaml)).toEqual([])
})

test('the defaults are the documented ones', () => {
  expect(load(farm(['prefix: /GAS1'], `${path}, { strategy: instance-cookie }`)).pools[0]!.affinity).toMatchObject([
    { start: '/gas', whenAway: 'refuse', mapResponses: false },
    { name: 'instance', value: 'sealed', start: '/', path: '/', secure: 'auto' },
  ])
})

import { expect, test } from 'vitest'

import { backend } from '../balancing/fakes.test-support.ts'
import { instanceCookieConfig, instancePathConfig, strategyOf, visit } from './instances.test-support.ts'

const strategy = strategyOf([instancePathConfig()])

test.each([
  ['/GAS1', 'g1'],
  ['/GAS1/', 'g1'],
  ['/GAS1?x', 'g1'],
  ['/GAS1/wa/r/app?Arg=1', 'g1'],
  ['/GAS10/wa', 'g10'],
  ['/GAS2/wa/r/app', 'g2'],
  ['/GAS1//GAS2/wa', 'g1'],
  ['/GAS1/%2FGAS2', 'g1'],
])('%s belongs to %s and reaches it as it is', async (target, owner) => {
  const { session, target: sent, taken } = await visit(strategy, target)

  expect(session).toMatchObject({ known: true, home: [owner], persistence: 'VN' })
  expect({ sent, taken }).toEqual({ sent: target, taken: true })
})

test.each([
  '/gas1/wa',
  '/GAS11',
  '/GAS1x/wa',
  '/GAS',
  '//GAS1/wa',
  '/%47AS1/wa',
  '/GAS1%2Fwa',
  '/x/GAS1',
  '/GAS1;x/wa',
  '/gasoline',
])('%s belongs to nobody, starts nothing and stays as it is', async (target) => {
  const { session, target: sent } = await visit(strategy, target, { by: 'g2' })

  expect(session).toMatchObject({ known: false, home: [] })
  expect(sent).toBe(target)
})

test.each([
  ['/gas', '/GAS2'],
  ['/gas?Arg=1', '/GAS2?Arg=1'],
  ['/gas/', '/GAS2/'],
  ['/gas/wa/r/app?Arg=1&b=%20/gas', '/GAS2/wa/r/app?Arg=1&b=%20/gas'],
  ['/gas/gas/%67as', '/GAS2/gas/%67as'],
  ['/gas//GAS1/wa', '/GAS2//GAS1/wa'],
])('%s starts a session: the chosen instance gets %s', async (target, expected) => {
  const { session, target: sent } = await visit(strategy, target, { by: 'g2' })

  expect(session).toMatchObject({ known: false, home: [] })
  expect(sent).toBe(expected)
})

test('an attempt at another instance begins with what the client sent', async () => {
  const first = await visit(strategy, '/gas/wa', { by: 'g1' })
  const second = { target: '/gas/wa', cookie: undefined, lines: '' }
  first.session.dispatched!(backend('g2'), second)

  expect([first.target, second.target]).toEqual(['/GAS1/wa', '/GAS2/wa'])
})

test.each([
  ['/', '/GAS1/'],
  ['/?x', '/GAS1/?x'],
  ['/wa/r/app', '/GAS1/wa/r/app'],
  ['//x', '/GAS1//x'],
  ['/GAS2/wa', '/GAS2/wa'],
])('with start: / the prefix is put before %s: %s', async (target, expected) => {
  const all = strategyOf([instancePathConfig({ start: '/' })])

  expect((await visit(all, target)).target).toBe(expected)
})

test('a session whose instance is away is refused', async () => {
  expect((await visit(strategy, '/GAS1/wa')).session.whenAway).toBe('home-away')
})

test('or moves under the prefix of another, by configuration', async () => {
  const moving = strategyOf([instancePathConfig({ whenAway: 'move' })])

  const { session, target } = await visit(moving, '/GAS1/wa/sua?x=/GAS1', { by: 'g2' })

  expect(session.whenAway).toBeUndefined()
  expect(target).toBe('/GAS2/wa/sua?x=/GAS1')
  expect(session.persistence).toBe('DN')
})

test('explain says why', async () => {
  const reasons = await Promise.all(['/GAS2/x', '/gas/x', '/ws'].map((target) => visit(strategy, target)))

  expect(reasons.map(({ session }) => session.reason)).toEqual([
    'instance-path: the prefix /GAS2 is that of g2',
    'instance-path: a starting request, within /gas',
    'instance-path: the path begins with no prefix, and not with the start path',
  ])
})

test('answers pass unchanged', async () => {
  const answer = { Location: '/gas/x', 'Set-Cookie': 'a=1; Path=/gas' }

  expect((await visit(strategy, '/GAS1/x', { answer })).response.lines()).toBe(
    'Location: /gas/x\r\nSet-Cookie: a=1; Path=/gas\r\n',
  )
})

test.each([
  ['/gas', '/GAS1/wa/r?x=/GAS1', '/gas/wa/r?x=/GAS1'],
  ['/gas', '/GAS1', '/gas'],
  ['/gas', '/gas/wa', '/gas/wa'],
  ['/', '/GAS1', '/'],
  ['/', '/GAS1?x', '/?x'],
  ['/', '/GAS1/wa', '/wa'],
  ['/', '/wa', '/wa'],
])('instances that know only %s get %s as %s', async (start, target, expected) => {
  const mapping = strategyOf([instancePathConfig({ start, mapResponses: true })])

  expect((await visit(mapping, target, { by: 'g1' })).target).toBe(expected)
})

test.each([
  ['/gas', 'Location', '/gas/wa/sua?x=/gas#y', '/GAS2/wa/sua?x=/gas#y'],
  ['/gas', 'Location', '/gas', '/GAS2'],
  ['/gas', 'Location', '/gasoline', '/gasoline'],
  ['/gas', 'Location', '/GAS2/wa', '/GAS2/wa'],
  ['/gas', 'Location', 'sua/x', 'sua/x'],
  ['/gas', 'Location', '../gas/x', '../gas/x'],
  ['/gas', 'Location', 'http://EXAMPLE.com/gas/x', 'http://EXAMPLE.com/GAS2/x'],
  ['/gas', 'Location', 'https://example.com/gas?y', 'https://example.com/GAS2?y'],
  ['/gas', 'Location', '//example.com/gas', '//example.com/GAS2'],
  ['/gas', 'Location', 'https://example.com:8443/gas', 'https://example.com:8443/gas'],
  ['/gas', 'Location', 'https://elsewhere.example/gas/x', 'https://elsewhere.example/gas/x'],
  ['/gas', 'Content-Location', '/gas/x', '/GAS2/x'],
  ['/gas', 'Set-Cookie', 'GWS_S_SESSION=1; Path=/gas; HttpOnly', 'GWS_S_SESSION=1; Path=/GAS2; HttpOnly'],
  ['/gas', 'Set-Cookie', 'a=1; path=/gas/wa', 'a=1; path=/GAS2/wa'],
  ['/gas', 'Set-Cookie', 'a=1; Path=/', 'a=1; Path=/'],
  ['/gas', 'Set-Cookie', 'a=1; PATH = "/gas" ;Path=/gas', 'a=1; PATH = "/GAS2" ;Path=/GAS2'],
  ['/gas', 'Set-Cookie', 'a=1; Path; Path=; Path=gas; Pathos=/gas', 'a=1; Path; Path=; Path=gas; Pathos=/gas'],
  ['/gas', 'Set-Cookie', 'a=1;Path=/gas/$&;;', 'a=1;Path=/GAS2/$&;;'],
  ['/gas', 'Set-Cookie', 'a=/gas; Domain=gas', 'a=/gas; Domain=gas'],
  ['/', 'Location', '/', '/GAS2/'],
  ['/', 'Location', '/wa?x', '/GAS2/wa?x'],
  ['/', 'Location', '/GAS2/wa', '/GAS2/wa'],
  ['/', 'Set-Cookie', 'a=1; Path=/', 'a=1; Path=/GAS2'],
  ['/', 'Set-Cookie', 'a=1; Path="/wa"', 'a=1; Path="/GAS2/wa"'],
])('and with start %s their %s: %s becomes %s', async (start, field, value, expected) => {
  const mapping = strategyOf([instancePathConfig({ start, mapResponses: true })])

  const starting = await visit(mapping, start === '/' ? '/wa' : '/gas/wa', { by: 'g2', answer: { [field]: value } })
  const owned = await visit(mapping, '/GAS2/wa', { answer: { [field]: value } })

  expect(starting.response.lines()).toBe(`${field}: ${expected}\r\n`)
  expect(owned.response.lines()).toBe(`${field}: ${expected}\r\n`)
})

test('a cookie that is long to read costs nobody time', async () => {
  const mapping = strategyOf([instancePathConfig({ mapResponses: true })])
  const begun = performance.now()

  await visit(mapping, '/gas', { answer: { 'Set-Cookie': `a=1; Path=/${' '.repeat(60_000)}"x` } })

  expect(performance.now() - begun).toBeLessThan(500)
})

test('a starting request that a cookie recognised gets the prefix of the cookie’s instance', async () => {
  const both = strategyOf([instancePathConfig(), instanceCookieConfig({ value: 'plain' })])

  const { session, target, cookie } = await visit(both, '/gas/wa', { cookie: 'instance=g2' })

  expect(session.home).toEqual(['g2'])
  expect({ target, cookie }).toEqual({ target: '/GAS2/wa', cookie: undefined })
})

test('where prefix and cookie disagree, the one that stands first wins', async () => {
  const path = instancePathConfig()
  const cookie = instanceCookieConfig({ value: 'plain' })

  const pathFirst = await visit(strategyOf([path, cookie]), '/GAS1/wa', { cookie: 'instance=g2' })
  const cookieFirst = await visit(strategyOf([cookie, path]), '/GAS1/wa', { cookie: 'instance=g2' })

  expect([pathFirst.session.home, cookieFirst.session.home]).toEqual([['g1'], ['g2']])
  expect([pathFirst.target, cookieFirst.target]).toEqual(['/GAS1/wa', '/GAS1/wa'])
  expect([pathFirst.cookie, cookieFirst.cookie]).toEqual([undefined, undefined])
})

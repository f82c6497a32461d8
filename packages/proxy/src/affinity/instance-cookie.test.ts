import { expect, test } from 'vitest'

import { backendConfig } from '../config/parts.test-support.ts'
import { sentCookies } from '../wire/heads.test-support.ts'
import { farm, instanceCookieConfig, keyringOf, strategyOf, visit } from './instances.test-support.ts'

const start = '/gas'
const sealed = strategyOf([instanceCookieConfig({ start })])
const plain = strategyOf([instanceCookieConfig({ start, value: 'plain' })])

/** The Cookie field that a starting request's answer by that instance leads to. */
async function cookieOf(by: string, strategy = sealed): Promise<string> {
  const { response } = await visit(strategy, '/gas/wa/r/app', { by })
  return sentCookies(response)[0]!.split(';')[0]!
}

test('the answer to a starting request names its instance, for pages of the browser’s session', async () => {
  const { response, session, taken } = await visit(plain, '/gas/wa/r/app', { by: 'g2' })

  expect(sentCookies(response)).toEqual(['instance=g2; Path=/; HttpOnly; SameSite=Lax'])
  expect(response.lines()).toContain('Cache-Control: private\r\n')
  expect({ taken, persistence: session.persistence }).toEqual({ taken: true, persistence: 'NI' })
})

test('over TLS it is Secure and __Host-', async () => {
  const { response } = await visit(plain, '/gas', { by: 'g2', secure: true })

  expect(sentCookies(response)).toEqual(['__Host-instance=g2; Path=/; HttpOnly; Secure; SameSite=Lax'])
})

test.each(['/', '/ws/r/service', '/gasoline', '/GAS'])('%s starts nothing', async (target) => {
  const { response, taken } = await visit(sealed, target)

  expect(sentCookies(response)).toEqual([])
  expect(taken).toBe(false)
})

test.each(['/gas/wa/sua/1', '/ws/r/service'])(
  'with the cookie %s goes there, and is answered without another',
  async (target) => {
    const { session, response, cookie } = await visit(sealed, target, { cookie: `x=1; ${await cookieOf('g2')}; y=2` })

    expect(session).toMatchObject({ known: true, home: ['g2'], persistence: 'VN' })
    expect(sentCookies(response)).toEqual([])
    expect(cookie).toBe('x=1; y=2')
  },
)

test('sealed names tell nothing: two of one instance differ', async () => {
  const [one, other] = [await cookieOf('g1'), await cookieOf('g1')]

  expect(one).toMatch(/^instance=[\w-]{44}$/)
  expect(one).not.toBe(other)
})

const value = (await cookieOf('g2')).slice('instance='.length)

test.each([
  ['an empty value', ''],
  ['the name itself', 'g2'],
  ['a truncated one', value.slice(0, -1)],
  ['one with a letter more', `${value}A`],
  ['one with a letter changed', `${value.slice(0, 20)}${value[20] === 'A' ? 'B' : 'A'}${value.slice(21)}`],
  ['another spelling of the same bytes', value.replaceAll('-', '+').replaceAll('_', '/').padEnd(45, '=')],
  ['a very long one', 'A'.repeat(8000)],
  ['unbalanced quotes', `"${value}`],
  [
    'one of another secret',
    (await cookieOf('g2', strategyOf([instanceCookieConfig()], farm, keyringOf('other')))).slice(9),
  ],
])('%s is no instance: the request is a newcomer, and a starting one gets a new cookie', async (_, forged) => {
  const starting = await visit(sealed, '/gas/x', { cookie: `instance=${forged}`, by: 'g1' })
  const other = await visit(sealed, '/ws', { cookie: `instance=${forged}`, by: 'g1' })

  expect(starting.session).toMatchObject({ known: false, home: [], persistence: 'II' })
  expect(starting.cookie).toBeUndefined()
  expect(sentCookies(starting.response)).toHaveLength(1)
  expect(sentCookies(other.response)).toEqual([])
  expect(other.session.persistence).toBe('IN')
})

test('of several the first that names an instance counts', async () => {
  const { session } = await visit(plain, '/x', { cookie: 'instance=nobody; instance=g2; instance=g1' })

  expect(session.home).toEqual(['g2'])
})

test('an instance that is gone is no instance', async () => {
  const cookie = await cookieOf('g2')
  const later = strategyOf([instanceCookieConfig({ start })], farm.slice(0, 1))

  expect((await visit(later, '/gas', { cookie, by: 'g1' })).session.persistence).toBe('II')
})

test('a starting request that another instance answered names that one from then on, others change nothing', async () => {
  const starting = await visit(plain, '/gas', { cookie: 'instance=g1', by: 'g2' })
  const other = await visit(plain, '/ws', { cookie: 'instance=g1', by: 'g2' })

  expect(sentCookies(starting.response)).toEqual([expect.stringMatching(/^instance=g2;/)])
  expect(starting.session.persistence).toBe('DU')
  expect(sentCookies(other.response)).toEqual([])
  expect(other.session.persistence).toBe('DN')
})

test('an instance goes by its configured name, or by none', async () => {
  const members = [backendConfig('g1', { instance: 'one' }), backendConfig('g2', { instance: undefined })]
  const named = strategyOf([instanceCookieConfig({ value: 'plain' })], members)

  expect(sentCookies((await visit(named, '/', { by: 'g1' })).response)[0]).toMatch(/^instance=one;/)
  expect(sentCookies((await visit(named, '/', { by: 'g2' })).response)).toEqual([])
  expect((await visit(named, '/', { cookie: 'instance=one' })).session.home).toEqual(['g1'])
  expect((await visit(named, '/', { cookie: 'instance=g2' })).session.known).toBe(false)
})

test('a cookie of an older secret is honoured, and renewed by the next starting request', async () => {
  const old = await cookieOf('g2', strategyOf([instanceCookieConfig({ start })], farm, keyringOf('old')))
  const rotated = strategyOf([instanceCookieConfig({ start })], farm, keyringOf('new', 'old'))

  const other = await visit(rotated, '/ws', { cookie: old })
  const starting = await visit(rotated, '/gas', { cookie: old })

  expect([other.session.home, starting.session.home]).toEqual([['g2'], ['g2']])
  expect(sentCookies(other.response)).toEqual([])
  expect(sentCookies(starting.response)).toHaveLength(1)
  expect(starting.session.persistence).toBe('VU')
})

test('explain says why', async () => {
  const visits = [{}, { cookie: 'instance=nobody' }, { cookie: 'instance=g2' }].map((ask) => visit(plain, '/', ask))

  expect((await Promise.all(visits)).map(({ session }) => session.reason)).toEqual([
    'instance-cookie: no cookie of ours',
    'instance-cookie: a cookie of our name that names no instance',
    'instance-cookie: cookie instance names g2',
  ])
})

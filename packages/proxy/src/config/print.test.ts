import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'

import { ConfigErrors } from './config-errors.ts'
import { loadConfig, parseConfig } from './load.ts'
import type { Overrides } from './overrides.ts'
import { presetNames } from './presets.ts'
import { type Printed, printConfig } from './print.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sticky-print-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = 'a secret that is long enough'
const environment = {
  STICKY_SECRET: secret,
  STICKY_ADMIN_TOKEN: 'a-token-that-is-long-enough',
  REDIS_PASSWORD: 'hidden',
}
// What files say of them.
const [password, sealing] = ['REDIS_PASSWORD', 'STICKY_SECRET'].map((name) => `$\{${name}}`)
const minimal = 'pools: { shop: { backends: [{ id: a, url: http://a }] } }'
const inPool = (rest: string) => `pools: { shop: { backends: [{ id: a, url: http://a, prefix: /A }], ${rest} } }`
const kinds: readonly Printed[] = ['written', 'effective']

function fileOf(text: string, name = 'sticky.yaml'): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const examples = globSync(['examples/*.yaml', 'examples/compose/*.yaml'], { cwd: root }).map((file) => join(root, file))
const texts: readonly string[] = [
  minimal,
  ...presetNames.map((name) => inPool(`preset: ${name}`)),
  inPool('affinity: []'),
  inPool(
    'affinity: [{ strategy: session-cookie, begin: { cookies: [a] }, age: 90s, lifetime: 36h, sameSite: false, secure: true }]',
  ),
  inPool('affinity: [{ strategy: instance-path, start: /, mapResponses: true }]'),
  inPool('affinity: [{ strategy: instance-path }, { strategy: instance-cookie, value: plain, start: /gas }]'),
  inPool('preset: php, balance: random, ejection: { failures: 7 }'),
  inPool('onUnavailable: wait'),
  inPool('onUnavailable: { temporary: 1.5h }, movedHeader: X-Moved, queue: { max: 7 }, retry: { budget: "2.5%" }'),
  `${minimal}\nlisten: [{ address: :80, proxyProtocol: true, from: [10.0.0.0/8, 192.0.2.1] }, { address: "[::1]:81" }]`,
  `${minimal}\nadmin: false\nlimits: { head: 32Ki, body: 10MB }\ntimeouts: { tunnel: 1.5h }\ntrustedProxies: [10.0.0.0/8]`,
  `${minimal}\nadmin: { address: "unix:/run/sticky.sock" }\nnode: { id: n7 }\nroutes: [{ host: "*.A.com", path: /x/*, pool: shop }]`,
  `${minimal}\nstore: { url: "redis://:${password}@h:1/2", lease: 10s }\nsecrets: ["${sealing}"]`,
]

test.each(kinds)(
  'what is printed (%s) means the same as the file, be it an example or use a preset or odd keys',
  (kind) => {
    for (const file of [...examples, ...texts.map((text, index) => fileOf(text, `${index}.yaml`))]) {
      const printed = printConfig(file, kind, {}, environment)

      expect(parseConfig(printed, file, {}, environment), file).toEqual(loadConfig(file, {}, environment))
    }
  },
)

test('the effective configuration says every default, in the units of people', () => {
  const printed = parse(printConfig(fileOf(minimal), 'effective', { nodeId: 'n1' }))

  expect(printed).toMatchObject({
    listen: [{ address: '127.0.0.1:8080', proxyProtocol: false }],
    admin: { address: '127.0.0.1:9901' },
    node: { id: 'n1', workers: 1 },
    timeouts: { head: '10s', tunnel: '1h' },
    limits: { head: '16Ki', fields: 100 },
    secrets: [],
    pools: {
      shop: {
        backends: [{ id: 'a', weight: 1 }],
        balance: 'leastLoad',
        affinity: [{ strategy: 'session-cookie', name: 'sticky', age: '30m', cookieAge: '30m', secure: 'auto' }],
      },
    },
    routes: [{ pool: 'shop' }],
  })
})

test('it says what a preset stands for, and no longer its name', () => {
  const { shop } = parse(printConfig(fileOf(inPool('preset: php')), 'effective')).pools

  expect(shop).toMatchObject({
    affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'PHPSESSID' }], age: '24m' }],
  })
  expect(shop).not.toHaveProperty('preset')
})

test('printed effectively twice is printed the same', () => {
  const once = printConfig(fileOf(inPool('preset: llm')), 'effective')

  expect(printConfig(fileOf(once), 'effective')).toBe(once)
})

test('as written it adds nothing', () => {
  expect(parse(printConfig(fileOf(inPool('preset: php')), 'written'))).toEqual(parse(inPool('preset: php')))
})

test.each(kinds)('no secret is printed (%s), whether it stands in the file or elsewhere', (kind) => {
  const admin = 'admin: { address: :9901, token: another-plain-text }'
  const file = fileOf(
    `${minimal}\nsecrets: [plain text ${secret}, "${sealing}"]\n${admin}\nstore: { url: "redis://u:hidden@h" }`,
  )

  const printed = printConfig(file, kind, {}, environment)

  expect(printed).not.toMatch(/long enough|another-plain-text|hidden/)
  expect(parse(printed).secrets).toEqual(['****************', sealing])
  expect(loadConfig(fileOf(printed), {}, environment).store.url).toBe('redis://u:****************@h')
})

test.each(kinds)('flags are part of it (%s)', (kind) => {
  const flags: Overrides = { nodeId: 'n2', listen: [':1', ':2'], store: 'redis://h' }
  const file = fileOf(`${minimal}\nlisten: [{ address: :80 }]`)

  expect(parse(printConfig(file, kind, flags))).toMatchObject({
    node: { id: 'n2' },
    listen: [{ address: ':1' }, { address: ':2' }],
    store: { url: 'redis://h' },
  })
})

test('an invalid configuration is not printed', () => {
  expect(() => printConfig(fileOf('pols: {}'), 'effective')).toThrow(ConfigErrors)
})

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { ConfigErrors, showWarning } from '../config-errors.ts'
import { load, mistakesIn } from '../load.test-support.ts'
import { loadConfig, parseConfig } from '../load.ts'
import { convert } from './convert.ts'
import { convertFile } from './convert-file.ts'
import { printYaml } from './print.ts'
import { XmlFault } from './xml.ts'

const folder = fileURLToPath(new URL('../../../../../test/fixtures/plugin-cfg/', import.meta.url))
const files = readdirSync(folder).filter((file) => file.endsWith('.xml'))

describe.each(files)('%s', (file) => {
  const path = `${folder}${file}`

  test('converts to what is checked in', async () => {
    await expect(convertFile(path).yaml).toMatchFileSnapshot(path.replace(/xml$/, 'yaml'))
  })

  test('means the same as YAML and as XML', () => {
    const { yaml } = convertFile(path)

    expect(load(yaml)).toEqual(loadConfig(path, {}, {}))
  })

  test('warns of everything with its line', () => {
    const { yaml, warnings } = convertFile(path)

    for (const warning of warnings) expect(warning.place!.line).toBeGreaterThan(1)
    for (const warning of warnings) expect(yaml).toContain(warning.problem)
  })
})

test('the example in XML and the one in YAML mean the same', () => {
  const example = (name: string) => fileURLToPath(new URL(`../../../../../examples/${name}`, import.meta.url))

  expect(loadConfig(example('plugin-cfg.xml'), {}, {})).toEqual(loadConfig(example('websphere.yaml'), {}, {}))
  expect(convertFile(example('plugin-cfg.xml')).warnings).toEqual([])
})

test.each(['best', 'bottom-up', 'first'] as const)('the order of Routes can be told: %s', (routeMatch) => {
  const path = `${folder}shared-uris.xml`

  expect(loadConfig(path, { routeMatch }, {}).routeMatch).toBe(routeMatch)
  expect(convertFile(path, routeMatch).yaml).toContain(`routeMatch: ${routeMatch}\n`)
})

test('a Route that is never reached is left out, whichever that is', () => {
  const poolsOf = (routeMatch: string) =>
    loadConfig(`${folder}unreachable-route.xml`, { routeMatch }, {}).routes.map(({ pool }) => pool)

  expect([poolsOf('best'), poolsOf('first'), poolsOf('bottom-up')]).toEqual([['one'], ['one'], ['two']])
})

test('flags say what the file does not', () => {
  const overrides = { listen: ['127.0.0.1:0'], store: 'redis://127.0.0.1:6379', nodeId: 'n1', admin: '127.0.0.1:0' }

  expect(loadConfig(`${folder}tuned.xml`, overrides, {})).toMatchObject({
    listen: [{ address: { host: '127.0.0.1', port: 0 } }],
    store: { url: 'redis://127.0.0.1:6379' },
    node: { id: 'n1' },
  })
})

test('a warning tells file, line and column', () => {
  const [warning] = convertFile(`${folder}no-routes.xml`).warnings

  expect(showWarning(warning!)).toBe(
    `${folder}no-routes.xml:3:1: warning: there is no Route: every request will be answered 404`,
  )
})

test.for([
  ['', '1:1', 'document must contain a root element'],
  ['pools: {}', '1:10', 'text data outside of root node'],
  ['<Config>\n<Server></Config>', '2:17', 'unexpected close tag'],
  ['<!DOCTYPE Config SYSTEM "plugin.dtd">\n<Config/>', '1:37', 'a DOCTYPE is not allowed'],
  ['<Config>\n  &lt;&who;</Config>', '2:11', 'undefined entity'],
  ['\n<server></server>', '2:1', 'must be a <Config>, got <server>'],
] as const)('%j is refused with one clear error', ([text, place, problem]) => {
  const mistakes = mistakesOf(text)

  expect(mistakes).toHaveLength(1)
  expect(mistakes[0]).toMatch(new RegExp(`^plugin-cfg.xml:${place}: .*`))
  expect(mistakes[0]).toContain(problem)
})

test('what is no XML by its name is not converted', () => {
  expect(() => convertFile('sticky.yaml')).toThrow('sticky.yaml: must be a file named *.xml')
})

test('a hundred Routes that share a group are printed so that they can be read again', () => {
  const routes = Array.from({ length: 300 }, (_, index) => [
    `<UriGroup Name="u${index}"><Uri Name="/app${index}/*"/></UriGroup>`,
    `<Route ServerCluster="c" UriGroup="u${index}" VirtualHostGroup="v"/>`,
  ]).flat()
  const server = '<Server Name="a" CloneID="c1"><Transport Hostname="a.example.com"/></Server>'
  const hosts = '<VirtualHostGroup Name="v"><VirtualHost Name="*:80"/></VirtualHostGroup>'
  const conversion = convert(
    `<Config><ServerCluster Name="c">${server}</ServerCluster>${hosts}${routes.join('')}</Config>`,
  )
  if (conversion instanceof XmlFault) throw new Error(conversion.problem)

  expect(mistakesIn(printYaml(conversion, 'plugin-cfg.xml'))).toEqual([])
})

function mistakesOf(text: string): string[] {
  try {
    parseConfig(text, 'plugin-cfg.xml', {}, {})
    return []
  } catch (error) {
    if (error instanceof ConfigErrors) return error.message.split('\n')
    throw error
  }
}

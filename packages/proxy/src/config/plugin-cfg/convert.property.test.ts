import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseConfig } from '../load.ts'
import { type Conversion, convert } from './convert.ts'
import { printYaml } from './print.ts'

const oddName = fc.constantFrom('a b', 'A', '1', 'true', '~', 'ü', '/x/', '-', '__proto__', 'y'.repeat(70), '\n# x', '')
/** Mostly the same, so that Routes lead somewhere. */
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a', 'a', 'b') }, { weight: 1, arbitrary: oddName })
const clone = fc.constantFrom('c1', 'c2', 'a', '1', 'c:1', 'c+1', 'ü', 'x,y', '')
const number = fc.constantFrom('0', '-1', '7', '2000000', '-99999999', '9'.repeat(16), 'x', '')
const flag = fc.constantFrom('true', 'FALSE', 'yes', '')
const host = fc.constantFrom(
  '*',
  '*:80',
  '*:*',
  'A.b:81',
  '[::1]:80',
  '::1',
  'ü.b:80',
  'ü b:80',
  '10.1:80',
  '*.b',
  'b:0',
  '',
)
const uri = fc.constantFrom('/*', '/x', '/x/*', '*.jsp', '/ü/*', '/x*', '*', '/a b', '/../x', '/x?y', '/x;y', 'x', '')
const origin = fc.constantFrom('h1', 'h2', 'h3', 'h4', 'h5', '::1', 'u@h', '')

test('whatever a file says, what it is converted to can be run, and means the same as YAML', () => {
  fc.assert(
    fc.property(file(), (xml) => {
      const yaml = printYaml(convert(xml) as Conversion, 'plugin-cfg.xml')

      expect(parseConfig(yaml, 'sticky.yaml', {}, {})).toEqual(parseConfig(xml, 'plugin-cfg.xml', {}, {}))
    }),
    { numRuns: 150 },
  )
})

function file(): fc.Arbitrary<string> {
  const hosts = element('VirtualHostGroup', { Name: name }, some(element('VirtualHost', { Name: host })))
  const uris = element('UriGroup', { Name: name }, some(element('Uri', { Name: uri, AffinityCookie: name })))
  const route = element('Route', { ServerCluster: name, UriGroup: name, VirtualHostGroup: name })
  return element('Config', { VHostMatchingCompat: flag }, joined(some(cluster()), some(hosts), some(uris), some(route)))
}

function cluster(): fc.Arbitrary<string> {
  const attributes = { Name: name, RetryInterval: number, IgnoreAffinityRequests: flag, PostSizeLimit: number }
  const balance = { LoadBalance: fc.constantFrom('Random', 'RoundRobin', 'x'), CloneSeparatorChange: flag }
  const lists = ['PrimaryServers', 'BackupServers'].map((list) => some(element(list, {}, some(named()))))
  return element(
    'ServerCluster',
    { ...attributes, ...balance, PostBufferSize: number },
    joined(some(server('Server')), server('ClusterAddress'), ...lists),
  )
}

function named(): fc.Arbitrary<string> {
  return element('Server', { Name: name })
}

function server(tag: string): fc.Arbitrary<string> {
  const transport = element('Transport', { Hostname: origin, Port: number, Protocol: fc.constantFrom('http', 'HTTPS') })
  const times = { ConnectTimeout: number, ServerIOTimeout: number }
  const attributes = { Name: name, CloneID: clone, LoadBalanceWeight: number, MaxConnections: number, ...times }
  return element(tag, attributes, some(transport))
}

/** An element with some of these attributes. */
function element(
  tag: string,
  attributes: Record<string, fc.Arbitrary<string>>,
  children: fc.Arbitrary<string> = fc.constant(''),
): fc.Arbitrary<string> {
  const values = fc.record(attributes, { requiredKeys: [] })
  return fc.tuple(values, children).map(([values, within]) => {
    const written = Object.entries(values).map(([key, value = '']) => ` ${key}="${value.replaceAll('\n', '&#10;')}"`)
    return `<${tag}${written.join('')}>${within}</${tag}>`
  })
}

function some(one: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(one, { maxLength: 4 }).map((all) => all.join(''))
}

function joined(...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((all) => all.join(''))
}

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { loadConfig } from '@sticky/proxy'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

interface Service {
  readonly volumes?: readonly string[]
  readonly environment?: Record<string, string>
  readonly networks?: { readonly default: { readonly ipv4_address: string } }
}

const root = new URL('..', import.meta.url)
const composition = parse(readFileSync(new URL('docker-compose.yml', root), 'utf8'), { merge: true })
const services = new Map<string, Service>(Object.entries(composition.services))
const nodes = ['node1', 'node2'].map((name) => services.get(name)!)

test.each(nodes)('the configuration of the composed nodes is valid', ({ environment }) => {
  const config = loadConfig(fileURLToPath(new URL('examples/compose/sticky.yaml', root)), {}, environment)

  const hosts = config.pools.flatMap(({ backends }) => backends.map(({ url }) => new URL(url).hostname))
  expect([...services.keys()]).toEqual(expect.arrayContaining([...hosts, new URL(config.store.url).hostname]))
})

test('the composed nodes believe the balancer, and only the balancer, about client addresses', () => {
  const config = loadConfig(fileURLToPath(new URL('examples/compose/sticky.yaml', root)), {}, nodes[0]!.environment)

  const { ipv4_address: balancer } = services.get('balancer')!.networks!.default
  expect(config.listen.map(({ proxyProtocolFrom }) => proxyProtocolFrom)).toEqual([[`${balancer}/32`]])
})

test('the balancer asks every node whether it is ready, and sends to all of them when none is', () => {
  const servers = readFileSync(new URL('examples/compose/haproxy.cfg', root), 'utf8').match(
    /^ +(default-)?server .*/gm,
  )!

  expect(servers.map((line) => line.trim().replace(/^server \S+ (\S+)/, 'server at $1'))).toEqual([
    expect.stringContaining('default-server check port 9901 '),
    'server at node1:8080',
    'server at node2:8080',
    'default-server no-check',
    'server at node1:8080 backup',
    'server at node2:8080 backup',
  ])
})

test('every file the composition mounts is there', () => {
  const mounted = [...services.values()].flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]!))

  expect(mounted.length).toBeGreaterThan(0)
  for (const path of mounted) expect(existsSync(new URL(path, root)), path).toBe(true)
})

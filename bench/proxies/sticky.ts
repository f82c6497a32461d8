import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Backend } from '../backends.ts'
import type { Path } from '../pages.ts'
import { freePorts, proxyCore, start, untilServing } from '../processes.ts'
import { type BenchRedis, startRedis } from '../redis.ts'
import type { Contender, Kind } from './contender.ts'

/** A checkout of Sticky, and the name its revision has in tables; empty for the one the bench is part of. */
export interface Checkout {
  readonly folder: string
  readonly label: string
}

/** How a pool is told to keep sessions, as lines of its configuration have it. */
export interface Strategy {
  readonly kind: Kind
  /** As the table calls it. */
  readonly name: string
  /** Its chain, each strategy in YAML's flow style. */
  readonly affinity: readonly string[]
  readonly path?: Path
  readonly loops?: boolean
}

const sessionCookie: Strategy = {
  kind: 'sticky',
  name: '',
  affinity: ['{ strategy: session-cookie, name: sticky, begin: on-cookie, age: 30m }'],
}

/** Sticky over a Redis of its own, by the checkout's source, on one node or on two. */
export function sticky(checkout: Checkout, kind: 'sticky' | 'sticky-pair'): Contender {
  const nodes = kind === 'sticky' ? 1 : 2
  const name = nodes === 2 ? ', two nodes' : ''
  return {
    ...contender(checkout, nodes, { ...sessionCookie, kind, name }),
    affinity: 'sealed cookie, binding in Redis before the response leaves',
  }
}

/** Sticky on one node with another strategy. */
export function stickyWith(checkout: Checkout, strategy: Strategy): Contender {
  return contender(checkout, 1, strategy)
}

function contender(checkout: Checkout, nodes: number, strategy: Strategy): Contender {
  const { kind, name, affinity, path, loops = false } = strategy
  return {
    name: `Sticky${checkout.label}${name}`,
    kind,
    program: `sticky${checkout.label}`,
    affinity: affinity.join(', '),
    ...(path === undefined ? {} : { path }),
    loops,
    checkout: checkout.folder,
    version: () => revisionOf(checkout.folder),
    start: (backends, folder) => startNodes(nodes, checkout.folder, { backends, affinity }, folder),
  }
}

interface PoolText {
  readonly backends: readonly Backend[]
  readonly affinity: readonly string[]
}

function revisionOf(folder: string): string | undefined {
  if (!existsSync(join(folder, 'packages/proxy/src/main.ts'))) return undefined
  return execFileSync('git', ['-C', folder, 'describe', '--always', '--dirty', '--exclude', '*'], {
    encoding: 'utf8',
  }).trim()
}

async function startNodes(count: number, checkout: string, pool: PoolText, folder: string) {
  await using opened = new AsyncDisposableStack()
  const redis = opened.use(await startRedis())
  const ports = await freePorts(count * 2)
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: `n${index + 1}`,
    port: ports[index]!,
    text: text(`n${index + 1}`, ports[index]!, ports[count + index]!, redis, pool),
  }))
  const running = nodes.map(({ id, text }) => {
    const file = join(folder, `${id}.yaml`)
    writeFileSync(file, text)
    const main = join(checkout, 'packages/proxy/src/main.ts')
    return opened.use(start(process.execPath, [main, 'run', '-c', file], { core: proxyCore }))
  })
  await Promise.all(nodes.map(({ port }, index) => untilServing(port, running[index]!)))
  const lifetime = opened.move()
  return {
    ports: nodes.map(({ port }) => port),
    pids: running.map(({ pid }) => pid),
    storePids: [redis.pid],
    configuration: nodes[0]!.text,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  }
}

function text(
  id: string,
  port: number,
  adminPort: number,
  redis: BenchRedis,
  { backends, affinity }: PoolText,
): string {
  const list = backends
    .map(
      (backend) =>
        `      - { id: ${backend.id}, url: http://127.0.0.1:${backend.port}${prefixOf(affinity, backend)} }\n`,
    )
    .join('')
  return `listen: [{ address: 127.0.0.1:${port} }]
admin: { address: 127.0.0.1:${adminPort} }
node: { id: ${id}, workers: 1 }
store: { url: ${redis.url} }
accessLog: false
pools:
  shop:
    backends:
${list}    balance: leastLoad
    affinity:
${affinity.map((strategy) => `      - ${strategy}\n`).join('')}routes:
  - { path: /*, pool: shop }
`
}

/** Only instance-path asks for it, and only it bears it. */
function prefixOf(affinity: readonly string[], { id }: Backend): string {
  return affinity.some((strategy) => strategy.includes('instance-path')) ? `, prefix: /${id}` : ''
}

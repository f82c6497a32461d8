import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Backend } from '../backends.ts'
import { sessionCookie } from '../pages.ts'
import { freePorts, proxyCore, type Running, start, untilServing } from '../processes.ts'
import type { Contender, RunningProxy } from './contender.ts'
import { versionOf } from './installed.ts'

/** HAProxy with a cookie of its own that names the backend: nothing is stored, any node honours it. */
export const haproxyInsert: Contender = {
  name: 'HAProxy, cookie insert',
  kind: 'haproxy-insert',
  program: 'haproxy',
  affinity: 'its own cookie names the backend',
  version,
  start: (backends, folder) => startNodes(1, folder, () => insert(backends)),
}

/** HAProxy that learns the application's session cookie into its own memory. */
export const haproxyTable: Contender = {
  name: 'HAProxy, stick-table',
  kind: 'haproxy-table',
  program: 'haproxy',
  affinity: "learns the application's cookie into memory",
  version,
  start: (backends, folder) => startNodes(1, folder, () => table(backends, '')),
}

/** Two HAProxy nodes that push what they learn to each other. */
export const haproxyPeers: Contender = {
  name: 'HAProxy, stick-table, two nodes with peers',
  kind: 'haproxy-peers',
  program: 'haproxy',
  affinity: "learns the application's cookie and pushes it to the other node",
  version,
  async start(backends, folder) {
    const [first, second] = await freePorts(2)
    const peers = `peers nodes\n  peer n1 127.0.0.1:${first}\n  peer n2 127.0.0.1:${second}\n`
    return startNodes(2, folder, () => `${peers}\n${table(backends, ' peers nodes')}`)
  },
}

function version(): string | undefined {
  return versionOf('haproxy', '-v')
}

async function startNodes(count: number, folder: string, application: () => string): Promise<RunningProxy> {
  const ports = await freePorts(count)
  const texts = ports.map((port) => `${common(port)}\n${application()}`)
  const nodes: Running[] = texts.map((text, index) => {
    const file = join(folder, `n${index + 1}.cfg`)
    writeFileSync(file, text)
    return start('haproxy', ['-db', '-L', `n${index + 1}`, '-f', file], { core: proxyCore })
  })
  await Promise.all(ports.map((port, index) => untilServing(port, nodes[index]!)))
  return {
    ports,
    pids: nodes.map(({ pid }) => pid),
    storePids: [],
    configuration: texts[0]!,
    [Symbol.asyncDispose]: async () => void (await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))),
  }
}

function common(port: number): string {
  return `global
  nbthread 1
  maxconn 6000

defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  http-reuse always
  option forwardfor

frontend clients
  bind 127.0.0.1:${port} backlog 8192
  default_backend shop
`
}

function insert(backends: readonly Backend[]): string {
  const servers = backends.map(({ id, port }) => `  server ${id} 127.0.0.1:${port} cookie ${id}\n`).join('')
  return `backend shop
  balance leastconn
  cookie route insert indirect nocache httponly
${servers}`
}

/** Five million entries, so that no run has to make room for a session by throwing another out. */
function table(backends: readonly Backend[], peers: string): string {
  const servers = backends.map(({ id, port }) => `  server ${id} 127.0.0.1:${port}\n`).join('')
  return `backend shop
  balance leastconn
  stick-table type string len 40 size 5m expire 30m${peers}
  stick match req.cook(${sessionCookie})
  stick store-response res.cook(${sessionCookie})
${servers}`
}

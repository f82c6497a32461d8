import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

import { freePorts, proxyCore, start, untilServing } from '../processes.ts'
import type { Contender } from './contender.ts'

/** http-proxy, the classic of Node, with the least that keeps a session: a cookie that names the backend. */
export const httpProxy: Contender = nodePeer('http-proxy', 'http-proxy')

/** @fastify/http-proxy, over undici, with the same choice by cookie. */
export const fastifyHttpProxy: Contender = nodePeer('@fastify/http-proxy', 'fastify-http-proxy')

function nodePeer(module: string, kind: 'http-proxy' | 'fastify-http-proxy'): Contender {
  const program = fileURLToPath(new URL(`../peers/${kind}.ts`, import.meta.url))
  return {
    name: module,
    kind,
    program: module,
    affinity: 'a cookie names the backend; the choice is ours, in bench/peers',
    version: () => installedVersion(module),
    async start(backends) {
      const [port] = (await freePorts(1)) as [number]
      const origins = backends.map((backend) => `${backend.id}=http://127.0.0.1:${backend.port}`)
      const running = start(process.execPath, [program, String(port), ...origins], { core: proxyCore })
      await untilServing(port, running)
      const configuration = readFileSync(program, 'utf8')
      return { ...running, ports: [port], pids: [running.pid], storePids: [], configuration }
    },
  }
}

function installedVersion(module: string): string | undefined {
  const paths = createRequire(import.meta.url).resolve.paths(module) ?? []
  for (const folder of paths) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${module}/package.json`, 'utf8')) as { version: string }).version
    } catch {}
  }
  return undefined
}

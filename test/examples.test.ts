import { once } from 'node:events'
import { globSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { loadConfig } from '@sticky/proxy'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isMap, parseDocument, visit } from 'yaml'

import { ProxyNode } from './support/proxy-node.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const examples = globSync('*.yaml', { cwd: folder }).sort()
const stack = new AsyncDisposableStack()
let copies = ''

beforeAll(async () => {
  vi.stubEnv('STICKY_SECRET', 'a secret that is long enough')
  vi.stubEnv('STICKY_ADMIN_TOKEN', 'a-token-that-is-long-enough')
  copies = await mkdtemp(join(tmpdir(), 'sticky-examples-'))
  stack.defer(() => rm(copies, { recursive: true }))
  await cp(folder, copies, { recursive: true, filter: (path) => !/node_modules|tsbuildinfo/.test(path) })
})

afterAll(() => {
  vi.unstubAllEnvs()
  return stack.disposeAsync()
})

test.each(examples)('examples/%s serves each of its routes, started as it says', async (name) => {
  await using running = new AsyncDisposableStack()
  const file = join(copies, name)
  await placeElsewhere(file, running)

  const started = (await commandsOf(name)).map((args) => ProxyNode.start({}, ['-c', file, ...args]))
  for (const node of await Promise.all(started)) {
    running.use(node)
    for (const { host, target } of requestsOf(file)) {
      expect(await answerOf(node.port, host, target), `${host}${target}`).toMatchObject({
        status: 200,
        app: expect.anything(),
      })
    }
  }
})

/** Gives the copy applications of its own instead of those it names, and the Redis of the tests. */
async function placeElsewhere(file: string, running: AsyncDisposableStack): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'))
  const origins = new Map<string, string>()
  for (const [, origin] of document.toString().matchAll(/(http:\/\/127\.0\.0\.1:\d+)/g)) {
    if (!origins.has(origin!)) origins.set(origin!, running.use(await ScriptedApp.start(origin!)).url)
  }
  visit(document, {
    Scalar(_, scalar) {
      scalar.value = origins.get(scalar.value as string) ?? scalar.value
    },
  })
  const store = document.get('store')
  if (isMap(store)) {
    store.set('url', redisUrl())
    store.set('prefix', freshPrefix())
  }
  await writeFile(file, document.toString())
}

/** The arguments of each `sticky-proxy run` in its first lines, on ports that are free. */
async function commandsOf(name: string): Promise<string[][]> {
  const text = await readFile(join(folder, name), 'utf8')
  const commands = Array.from(text.matchAll(/^#.*sticky-proxy run -c examples\/(\S+)(.*)$/gm), ([, file, rest]) => {
    expect(file).toBe(name)
    return [
      ...rest!
        .replace(/--(?:listen|admin) \S+/g, '')
        .split(' ')
        .filter(Boolean),
      ...freePorts,
    ]
  })
  expect(commands, 'it says how to start it').not.toEqual([])
  return commands
}

const freePorts = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']

interface Target {
  readonly host: string
  readonly target: string
}

/** A request for each route that names a path; those that name a pattern have a test of their own. */
function requestsOf(file: string): Target[] {
  const { routes } = loadConfig(file)
  return routes.flatMap(({ host, path, pattern }): Target[] => {
    if (pattern !== undefined) return []
    const literal = (host?.[0] ?? 'example.com').replace('*', 'any')
    return [{ host: literal, target: (path?.[0]?.path ?? '/').replace('*', 'x') }]
  })
}

async function answerOf(port: number, host: string, path: string): Promise<{ status: number; app: unknown }> {
  const call = request({ host: '127.0.0.1', port, path, headers: { Host: host }, agent: false })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  response.resume()
  return { status: response.statusCode!, app: response.headers['x-app'] }
}

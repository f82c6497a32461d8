import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { freshPrefix, redisUrl } from './support/redis.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sticky-pack-'))
// The workspace's Node comes first, whatever the machine has.
const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }

beforeAll(async () => {
  await run(process.execPath, ['packages/build.ts'], { cwd: root, env })
  for (const name of ['store', 'proxy', 'cli']) {
    await run('npx', ['-y', 'pnpm@12', 'pack', '--pack-destination', folder], {
      cwd: join(root, 'packages', name),
      env,
    })
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const tarballs = globSync('*.tgz', { cwd: folder }).map((tarball) => `./${tarball}`)
  await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: folder, env })
}, 180_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the packed tarballs run where nothing else is', async () => {
  const proxy = await installed('sticky-proxy', 'version')
  const cli = await installed('sticky-cli', '--help')

  expect(proxy).toMatch(/\d+\.\d+\.\d+/)
  expect(cli).toMatch(/^Usage: sticky-cli/)
})

test('a packed node serves over Redis, with workers and script threads of its own', async () => {
  await using application = createServer(({ headers }, response) =>
    response.setHeader('set-cookie', 'a=b').end(`hello ${headers['x-script']}`),
  )
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port } = application.address() as AddressInfo
  writeFileSync(
    join(folder, 'script.ts'),
    `export const request = ({ header }) => header.set('X-Script', 'thread' as string)`,
  )
  const script = { strategy: 'script', script: './script.ts', isolate: true, timeLimit: '5s' }
  const configuration = {
    listen: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    node: { workers: 2 },
    store: { url: redisUrl(), prefix: freshPrefix() },
    pools: {
      shop: {
        backends: [{ id: 'a', url: `http://127.0.0.1:${port}` }],
        affinity: [script, { strategy: 'session-cookie' }],
      },
    },
  }
  writeFileSync(join(folder, 'sticky.yaml'), JSON.stringify(configuration))

  using node = spawn(bin('sticky-proxy'), ['run', '-c', 'sticky.yaml'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { addresses, admin } = await listening(node.stdout)
  const answer = await fetch(`http://${addresses[0]}/`)
  const { stdout } = await run(bin('sticky-cli'), ['sessions', 'count', '--json', '--admin', admin], { env })
  node.kill('SIGINT')

  expect(await answer.text()).toBe('hello thread')
  expect(JSON.parse(stdout).total).toBe(1)
  expect(await once(node, 'exit')).toEqual([0, null])
}, 60_000)

test('the tarballs carry no tests and no sources', () => {
  const shipped = globSync('node_modules/@sticky/*/**', { cwd: folder })

  expect(shipped.filter((path) => /\.test\.|(?<!\.d)\.ts$|\.tsbuildinfo$/.test(path))).toEqual([])
})

async function installed(program: string, word: string): Promise<string> {
  return (await run(bin(program), [word], { cwd: folder, env })).stdout
}

function bin(program: string): string {
  return join(folder, 'node_modules/.bin', program)
}

async function listening(log: NodeJS.ReadableStream): Promise<{ addresses: string[]; admin: string }> {
  for await (const line of createInterface(log)) {
    const fact = JSON.parse(line)
    if (fact.msg !== 'listening') continue
    log.resume()
    return fact
  }
  throw new Error('the packed node ended before it served')
}

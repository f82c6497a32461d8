import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { redisUrl } from './support/redis.ts'

const main = fileURLToPath(new URL('../examples/demo/main.ts', import.meta.url))

test('the demo shows carts whole through both nodes, and ends with 0', async () => {
  const { code, screen } = await demo('--once')

  expect(code).toBe(0)
  expectWholeCarts(screen)
  expect(screen).toContain('memory: both nodes in this one process')
})

test('over Redis the nodes are processes, and none outlives the demo', async () => {
  const { code, screen } = await demo('--once', '--redis', redisUrl())

  expect(code).toBe(0)
  expectWholeCarts(screen)
  expect(screen).toContain('each node a process')
})

test('Ctrl-C ends everything', async () => {
  using child = start('--redis', redisUrl())
  const urls = await whatToTry(child)

  child.kill('SIGINT')
  const [code] = await once(child, 'exit')

  expect(code).toBe(0)
  for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed')
})

test('a wrong option is wrong usage', async () => {
  expect((await demo('--twice')).code).toBe(2)
})

function expectWholeCarts(screen: string): void {
  for (const node of ['n1', 'n2']) expect(screen).toMatch(new RegExp(`Ada buys \\w+ +${node} +[abc] .*✓`))
  expect(screen).not.toContain('✗')
  expect(screen).toContain('20 of 20 carts intact')
  const lines = screen.split('\n')
  expect(lines.length).toBeLessThanOrEqual(40)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
}

function start(...words: string[]): ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> } {
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  return child as ReturnType<typeof start> // stdout is a pipe.
}

async function demo(...words: string[]): Promise<{ code: number | null; screen: string }> {
  using child = start(...words)
  const [screen, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code, screen }
}

async function whatToTry(child: ReturnType<typeof start>): Promise<string[]> {
  const urls: string[] = []
  for await (const line of createInterface(child.stdout)) {
    urls.push(...(line.match(/http:\/\/[\d.:]+/g) ?? []))
    if (line.includes('sticky-cli nodes')) return urls
  }
  return urls
}

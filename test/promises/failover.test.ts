import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { redisServer } from '../support/redis-binary.ts'

const script = fileURLToPath(new URL('../../examples/failover.sh', import.meta.url))

async function failover(...words: string[]): Promise<{ code: number | null; screen: string; complaints: string }> {
  using child = spawn(script, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [screen, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, screen, complaints }
}

test('examples/failover.sh shows carts whole while a node is killed, a backend drained and Redis stopped, and leaves nothing behind', {
  timeout: 120_000,
}, async () => {
  // What is said while one is installed is no complaint.
  redisServer()

  const { code, screen, complaints } = await failover('--quick')

  expect(complaints).toBe('')
  expect(screen).toContain('every cart was intact all along')
  expect(code).toBe(0)
  const scenes = screen.split('\n').filter((line) => / (\d+) of \1$/.test(line))
  expect(scenes).toHaveLength(7)
  for (const drained of ['application b is drained', 'Redis is stopped', 'Redis is back, and empty']) {
    expect(scenes.find((line) => line.includes(drained))).not.toMatch(/ b\d/)
  }
  const urls = screen.match(/http:\/\/[\d.:]+/g)!
  for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed')
  expect(Math.max(...screen.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
})

test('a wrong option is wrong usage', async () => {
  expect((await failover('--slow')).code).toBe(2)
})

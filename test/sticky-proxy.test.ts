import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'

const main = fileURLToPath(new URL('../packages/proxy/src/main.ts', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'sticky-proxy-'))
afterAll(() => rm(folder, { recursive: true }))

await writeFile(join(folder, 'sticky.yaml'), 'pools: { shop: { backends: [{ id: a, url: http://127.0.0.1:1 }] } }\n')
await writeFile(join(folder, 'wrong.yaml'), 'pols: {}\naccessLog: maybe\n')

async function stickyProxy(...words: string[]) {
  const child = spawn(process.execPath, [main, ...words], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

test('check says that a configuration is valid; sticky.yaml is the usual one', async () => {
  expect(await stickyProxy('check')).toEqual({ code: 0, stdout: 'sticky.yaml is valid\n', stderr: '' })
})

test('check tells every mistake on stderr and fails', async () => {
  const { code, stdout, stderr } = await stickyProxy('check', '--config', 'wrong.yaml')

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr.split('\n')).toEqual([
    'wrong.yaml:1:1: pols: unknown key; did you mean pools?',
    'wrong.yaml:2:12: accessLog: must be true or false, got "maybe"',
    '',
  ])
})

test('run tells the same mistakes, those in flags too', async () => {
  const { code, stderr } = await stickyProxy('run', '--listen', 'nowhere', '--store', 'redis://:password@host:x')

  expect(code).toBe(1)
  expect(stderr).toMatch(/^--listen: must be .*\n--store: must name a host[^\n]*\n$/)
  expect(stderr).not.toContain('password')
})

test('schema and version print and end', async () => {
  const schema = await stickyProxy('schema')

  expect(JSON.parse(schema.stdout)).toMatchObject({ properties: { pools: {}, routes: {} } })
  expect(await stickyProxy('version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

test('config print shows a file, and with --effective all that it means', async () => {
  const [written, effective] = await Promise.all([
    stickyProxy('config', 'print', '--node-id', 'n7'),
    stickyProxy('config', 'print', '--effective', '--node-id', 'n7'),
  ])

  expect(parse(written.stdout)).toEqual({
    node: { id: 'n7' },
    pools: { shop: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] } },
  })
  expect(parse(effective.stdout)).toMatchObject({
    node: { id: 'n7', workers: 1 },
    pools: { shop: { balance: 'leastLoad', affinity: [{ strategy: 'session-cookie', age: '30m' }] } },
  })
  expect([written.code, effective.code, written.stderr, effective.stderr]).toEqual([0, 0, '', ''])
})

test('config print tells mistakes instead of printing', async () => {
  expect(await stickyProxy('config', 'print', '-c', 'wrong.yaml')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('did you mean pools?'),
  })
})

test.each([[[]], [['config']], [['config', 'show']], [['serve']], [['check', '--fast']], [['check', 'sticky.yaml']]])(
  '%j is wrong usage',
  async (words: string[]) => {
    expect(await stickyProxy(...words)).toMatchObject({ code: 2, stdout: '' })
  },
)

test('help is no failure', async () => {
  expect(await stickyProxy('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('check') })
})

test('an address that is taken is one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }

  const flags = ['--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
  const { code, stderr } = await stickyProxy('run', ...flags)

  expect(code).toBe(1)
  expect(stderr).toBe(`cannot listen on 127.0.0.1:${port}: another process listens there already\n`)
  other.close()
})

import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

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

test('the packed store finds its Lua files', async () => {
  const installedStore = join(folder, 'node_modules/@sticky/store/dist')
  const scripts = globSync('*.lua', { cwd: join(root, 'packages/store/src/lua') }).sort()

  expect(scripts.length).toBeGreaterThan(0)
  expect(globSync('*.lua', { cwd: join(installedStore, 'lua') }).sort()).toEqual(scripts)
  await run(process.execPath, ['-e', "import('@sticky/store')"], { cwd: folder })
})

test('the tarballs carry no tests and no sources', () => {
  const shipped = globSync('node_modules/@sticky/*/**', { cwd: folder })

  expect(shipped.filter((path) => /\.test\.|(?<!\.d)\.ts$|\.tsbuildinfo$/.test(path))).toEqual([])
})

async function installed(program: string, word: string): Promise<string> {
  const { stdout } = await run(join(folder, 'node_modules/.bin', program), [word], { cwd: folder, env })
  return stdout
}

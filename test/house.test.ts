import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A source file and what it names in its imports, relative ones as paths from the root. */
interface Source {
  readonly file: string
  readonly text: string
  readonly imports: readonly string[]
}

const everything = filesOf('{packages/*/src,test,bench,examples}/**/*.{ts,lua}').map(read)
const shipped = everything.filter(({ file }) => file.startsWith('packages/') && !isTest(file))

describe('each library has one place', () => {
  test.each([
    ['ioredis', 'packages/store/src/redis-*.ts'],
    ['undici', 'packages/{cli/src/admin-client,proxy/src/upstream/health-probe}.ts'],
    ['cli-table3', 'packages/cli/src/tables.ts'],
    ['commander', 'packages/{cli,proxy}/src/arguments.ts'],
    ['pino', 'packages/proxy/src/control/log.ts'],
    ['prom-client', 'packages/proxy/src/control/metrics.ts'],
    ['yaml', 'packages/proxy/src/config/**'],
    ['zod', 'packages/proxy/src/config/**'],
    ['node:cluster', 'packages/proxy/src/{control/**,main.ts}'],
    ['node:tls', 'packages/proxy/src/{upstream/sockets.ts,traffic/tls-*.ts}'],
    ['re2js', 'packages/proxy/src/wire/linear-pattern.ts'],
    ['saxes', 'packages/proxy/src/config/plugin-cfg/xml.ts'],
    ['piscina', 'packages/proxy/src/affinity/script*.ts'],
  ])('%s is imported by %s alone', (library, place) => {
    expect(importersOf(library).filter((file) => !matchesGlob(file, place))).toEqual([])
  })
})

describe('dependencies point inwards', () => {
  const inner = 'packages/proxy/src/{routing,affinity,balancing,wire}/**'

  test('routing, affinity, balancing and the wire open no sockets and know no Redis, cluster or client library', () => {
    const outside = /^(node:(net|tls|http|https|http2|cluster|dgram)|ioredis|undici)$/
    // An address is told from a name by node:net, and the methods there are by node:http: neither opens anything.
    const harmless = /import \{ (isIP|isIP, SocketAddress|METHODS) \} from 'node:(net|http)'\n/g

    const offenders = within(inner).map((source) => ({
      ...source,
      imports: importsOf(source.text.replace(harmless, '')),
    }))

    expect(importing(offenders, outside)).toEqual([])
  })

  test('of what lies outside them they know two types: what a backend is, and the codes of refusals', () => {
    const known = ['packages/proxy/src/upstream/backend.ts', 'packages/proxy/src/traffic/exchange-record.ts']

    const outward = within(inner).flatMap(({ imports }) =>
      imports.filter((path) => /^packages\/proxy\/src\/(traffic|upstream|control)\//.test(path)),
    )

    expect(outward.filter((path) => !known.includes(path))).toEqual([])
    for (const { file, text } of within(inner)) {
      expect(text, file).not.toMatch(/^import \{[^}]*\} from '\.\.\/(traffic|upstream)\//m)
    }
  })

  test('nothing but main and the library face reaches into the control plane', () => {
    const outside = shipped.filter(({ file }) => !matchesGlob(file, 'packages/proxy/src/{control/**,main.ts,index.ts}'))

    expect(importing(outside, /^packages\/proxy\/src\/control\//)).toEqual([])
  })

  test('traffic and upstream know nothing of configuration files, and upstream nothing of traffic', () => {
    expect(importing(within('packages/proxy/src/{traffic,upstream}/**'), /\/src\/config\/(?!config\.ts)/)).toEqual([])
    expect(
      importing(within('packages/proxy/src/upstream/**'), /\/src\/(traffic|routing|affinity|balancing)\//),
    ).toEqual([])
  })

  test('the command line knows nothing of the proxy but its admin API, and nothing of the store', () => {
    const cli = within('packages/cli/src/**')

    expect(importing(cli, /^@sticky\/(?!proxy\/admin-api$)/)).toEqual([])
    expect(importing(cli, /^packages\/(?!cli\/)/)).toEqual([])
  })

  test('packages reach each other by name, never by path', () => {
    const across = shipped.filter(({ file, imports }) => {
      const own = file.split('/').slice(0, 2).join('/')
      return imports.some((path) => path.startsWith('packages/') && !path.startsWith(`${own}/`))
    })

    expect(across.map(({ file }) => file)).toEqual([])
  })
})

describe('the house is kept', () => {
  test('and this test sees it', () => {
    expect(shipped.length).toBeGreaterThan(100)
    expect(importersOf('ioredis')).not.toEqual([])
  })

  test('nothing is exported by default, but what vitest asks for by that name', () => {
    const named = everything.filter(({ file }) => file !== 'test/support/global-setup.ts')

    expect(saying(named, /^export default /m)).toEqual([])
  })

  test('the environment is read where a program or a configuration begins', () => {
    const elsewhere = shipped.filter(({ file }) => !matchesGlob(file, 'packages/*/src/{main,arguments,config/load}.ts'))

    expect(saying(elsewhere, /process\.env\b/)).toEqual([])
  })

  test('what is exported is used elsewhere, types of what is exported aside', () => {
    const words = everything.map(({ file, text }) => ({ file, words: new Set(text.match(/\w+/g)) }))
    const isUsed = (name: string, by: string) => words.some(({ file, words }) => file !== by && words.has(name))

    const exported = everything.flatMap(({ file, text }) =>
      Array.from(text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm), ([, name]) => ({
        file,
        name: name!,
      })),
    )

    expect(exported.length).toBeGreaterThan(500)
    expect(exported.filter(({ file, name }) => !isUsed(name, file))).toEqual([])
  })

  test('no file is longer than 400 lines', () => {
    const sources = everything.filter(({ file }) => !isTest(file) && !file.startsWith('test/'))

    expect(sources.filter(({ text }) => text.split('\n').length > 400).map(({ file }) => file)).toEqual([])
  })

  test('folders are named after the domain', () => {
    const vague = /\/(utils?|helpers?|common|shared|misc|types|interfaces|classes)(\/|\.ts$)/

    expect(everything.filter(({ file }) => vague.test(file)).map(({ file }) => file)).toEqual([])
  })

  test('nothing is left to be done', () => {
    const written = [...everything, ...filesOf('{*,docs/**/*,packages/*/*}.{md,json,yaml,yml}').map(read)]
    const others = written.filter(({ file }) => file !== 'test/house.test.ts')

    expect(saying(others, /\b(TODO|FIXME|XXX)\b/)).toEqual([])
  })
})

function filesOf(pattern: string): string[] {
  const found = globSync(pattern, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })
  const ignored = new Set(ignoredOf(found))
  return found.filter((file) => !ignored.has(file))
}

/** Files git does not keep are nobody's house. */
function ignoredOf(files: readonly string[]): string[] {
  try {
    const input = files.join('\n')
    return execFileSync('git', ['check-ignore', '--stdin'], { cwd: root, input, encoding: 'utf8' }).split('\n')
  } catch {
    return [] // None is, or this is no repository.
  }
}

function read(file: string): Source {
  const text = readFileSync(`${root}${file}`, 'utf8')
  const imports = importsOf(text).map((name) => (name.startsWith('.') ? resolved(file, name) : name))
  return { file, text, imports }
}

function importsOf(text: string): string[] {
  return Array.from(text.matchAll(/(?:\bfrom|\bimport) ?\(?'([^']+)'/g), ([, name]) => name!)
}

function resolved(file: string, name: string): string {
  return new URL(name, `file:///${file}`).pathname.slice(1)
}

function isTest(file: string): boolean {
  return /\.(test|test-support)\.ts$/.test(file)
}

function within(pattern: string): readonly Source[] {
  return shipped.filter(({ file }) => matchesGlob(file, pattern))
}

function importersOf(library: string): string[] {
  return importing(shipped, new RegExp(`^${library}(/|$)`))
}

function importing(sources: readonly Source[], name: RegExp): string[] {
  return sources.filter(({ imports }) => imports.some((path) => name.test(path))).map(({ file }) => file)
}

function saying(sources: readonly Source[], words: RegExp): string[] {
  return sources.filter(({ text }) => words.test(text)).map(({ file }) => file)
}

import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { loadConfig } from '@sticky/proxy'
import { afterAll, describe, expect, test } from 'vitest'

import { certificateFile } from '../packages/proxy/src/traffic/certificates.test-support.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root }).sort()
const folder = mkdtempSync(join(tmpdir(), 'sticky-docs-'))
// A script that an example names lies beside it.
cpSync(join(root, 'examples/aflex'), join(folder, 'aflex'), { recursive: true })

// So do certificates.
for (const [name, from] of [
  ...['shop', 'blog'].flatMap((of) => [
    [`${of}.pem`, `${of}.cert.pem`] as const,
    [`${of}.key`, `${of}.key.pem`] as const,
  ]),
  ...([
    ['internal-ca.pem', 'authority.pem'],
    ['sticky.pem', 'client.cert.pem'],
    ['sticky.key', 'client.key.pem'],
  ] as const),
])
  cpSync(certificateFile(from), join(folder, 'certs', name))

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')

  test('links to what is there', () => {
    const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!)
    const broken = links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(page, link))

    expect(broken).toEqual([])
  })

  test.each(examplesIn(text))('has valid configuration: example %#', (example) => {
    const file = join(folder, 'sticky.yaml')
    writeFileSync(file, /^pools:/m.test(example) ? example : `${example}${rest}`)
    const environment = {
      ...{ STICKY_SECRET: long, STICKY_SECRET_NEW: `new ${long}`, REDIS_PASSWORD: long },
      STICKY_ADMIN_TOKEN: 'a-token-that-is-long-enough',
    }

    expect(loadConfig(file, {}, environment).pools).not.toEqual([])
  })
})

test('what comments refer to is there', () => {
  const decisions = globSync('docs/decisions/*', { cwd: root }).map((page) => `decision ${/\d{4}/.exec(page)![0]}`)
  const known = new Set([...pages, ...pages.map((page) => page.replace(/^docs\//, '')), ...decisions])

  const lost = globSync('{packages/*/src,test,bench,examples}/**/*.{ts,lua}', { cwd: root }).flatMap((file) =>
    referencesIn(readFileSync(join(root, file), 'utf8'))
      .filter((name) => !known.has(name))
      .map((name) => `${file}: ${name}`),
  )

  expect(lost).toEqual([])
})

test('operations.md lists every event of the log', () => {
  const manual = readFileSync(join(root, 'docs/operations.md'), 'utf8')

  const events = globSync('packages/proxy/src/**/*.ts', { cwd: root, exclude: ['**/*.test*.ts'] }).flatMap((file) =>
    Array.from(readFileSync(join(root, file), 'utf8').matchAll(loggedEvent), ([, event, kind]) => event ?? kind!),
  )

  expect(events).toEqual(expect.arrayContaining(['listening', 'script switched off', 'accept failed']))
  expect(events.filter((event) => !manual.includes(`\`${event}\``))).toEqual([])
})

test.each(['operations', 'redis', 'runbook', 'metrics'])('of metrics, the page %s names what there are', (page) => {
  const manual = readFileSync(join(root, 'docs/metrics.md'), 'utf8')

  const named = readFileSync(join(root, `docs/${page}.md`), 'utf8').match(/\bsticky_\w+/g) ?? []

  expect(named).not.toEqual([])
  expect(named.filter((name) => !manual.includes(`| \`${name}\` |`))).toEqual([])
})

const loggedEvent = /(?:\blog\.(?:info|warn|error)|#warn)\(.*'([^']+)'\)|#tell\('([^']+)'/g

const long = 'a secret that is long enough'

/** What an example leaves out because its page is about something else. */
const rest = '\npools: { shop: { backends: [{ id: a, url: http://127.0.0.1:3001 }] } }\n'

function examplesIn(text: string): string[] {
  return Array.from(text.matchAll(/^```yaml\n(.*?)^```$/gms), ([, example]) => example!)
}

function referencesIn(text: string): string[] {
  const named = text.matchAll(/\b[\w/-][\w./-]*\.md\b|\bdecision \d{4}/g)
  return Array.from(named, ([name]) => name.replace(/^[^\w]+/, ''))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path, anchor] = link.split('#') as [string, string | undefined]
  const target = path === '' ? join(root, page) : join(root, dirname(page), path)
  if (!existsSync(target)) return false
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}

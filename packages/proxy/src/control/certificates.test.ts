import { copyFileSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { Config } from '../config/config.ts'
import { certificateFile, certificateText, type TestCertificate } from '../traffic/certificates.test-support.ts'
import { Certificates, type NodeSecrets } from './certificates.ts'
import { testConfig } from './fixtures.test-support.ts'

let folder = ''
let lines: { readonly event: string; readonly reason?: string }[] = []
let told: NodeSecrets[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sticky-certificates-'))
  lines = []
  told = []
})

afterEach(() => rmSync(folder, { recursive: true }))

const note = (fields: object, event: string): void => void lines.push({ event, ...fields })

function certificates(): Certificates {
  return new Certificates({ info: note, warn: note, error: note }, (secrets) => told.push(secrets))
}

function put(name: TestCertificate, as = 'a'): void {
  for (const part of ['cert', 'key'])
    copyFileSync(certificateFile(`${name}.${part}.pem`), join(folder, `${as}.${part}`))
}

function configured(...names: readonly string[]): Config {
  const tls = names.map((name) => ({ cert: join(folder, `${name}.cert`), key: join(folder, `${name}.key`) }))
  return testConfig({ listen: [{ address: { host: '', port: 0 }, proxyProtocolFrom: undefined, tls }] })
}

const certs = ({ pems }: NodeSecrets): (string | undefined)[] => Array.from(pems.values(), ({ cert }) => cert)

test('a pair that changed is used once it is quiet', async () => {
  put('shop')
  using watched = certificates()
  await watched.add(configured('a'))

  put('renewed')
  await watched.look()
  expect(certs(watched.secrets)).toEqual([certificateText('shop.cert.pem')])
  await watched.look()

  expect(certs(watched.secrets)).toEqual([certificateText('renewed.cert.pem')])
  expect(certs(told.at(-1)!)).toEqual([certificateText('renewed.cert.pem')])
  expect(lines.map(({ event }) => event)).toEqual(['certificate replaced'])
})

test('a link that leads elsewhere is a change', async () => {
  put('shop', 'one')
  put('renewed', 'two')
  for (const part of ['cert', 'key']) symlinkSync(join(folder, `one.${part}`), join(folder, `a.${part}`))
  using watched = certificates()
  await watched.add(configured('a'))

  for (const part of ['cert', 'key']) {
    symlinkSync(join(folder, `two.${part}`), join(folder, 'new'))
    renameSync(join(folder, 'new'), join(folder, `a.${part}`))
  }
  await watched.look()
  await watched.look()

  expect(certs(watched.secrets)).toEqual([certificateText('renewed.cert.pem')])
})

test.each([
  [
    'is half there',
    () => copyFileSync(certificateFile('renewed.cert.pem'), join(folder, 'a.cert')),
    /must be the key of/,
  ],
  ['is gone', () => unlinkSync(join(folder, 'a.key')), /cannot \(ENOENT\)/],
  ['is no PEM file', () => writeFileSync(join(folder, 'a.cert'), 'hello'), /must be a PEM file/],
])('a pair that %s is refused once, the one before stays, and others are replaced', async (_, spoil, reason) => {
  put('shop')
  put('blog', 'b')
  using watched = certificates()
  await watched.add(configured('a', 'b'))

  spoil()
  put('local', 'b')
  for (let look = 0; look < 4; look++) await watched.look()

  expect(certs(watched.secrets)).toEqual([certificateText('shop.cert.pem'), certificateText('local.cert.pem')])
  const refused = lines.filter(({ event }) => event === 'certificate refused')
  expect(refused).toHaveLength(1)
  expect(refused[0]!.reason).toMatch(reason)
})

test('a configuration with one that cannot be used is refused whole', async () => {
  put('shop')
  put('blog', 'b')
  unlinkSync(join(folder, 'b.key'))
  using watched = certificates()

  await expect(watched.add(configured('a', 'b'))).rejects.toThrow(
    `${join(folder, 'b.key')} must be a file that can be read`,
  )
  expect(watched.secrets.pems.size).toBe(0)
})

test('what a configuration no longer names is forgotten', async () => {
  put('shop')
  put('blog', 'b')
  using watched = certificates()
  await watched.add(configured('a', 'b'))

  watched.keep(configured('b'))

  expect(certs(watched.secrets)).toEqual([certificateText('blog.cert.pem')])
})

test('the ticket key is another one every 12 hours, and one that is past its time is warned of again', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    put('expired')
    using watched = certificates()
    await watched.open(configured('a'))
    const { ticketKey } = watched.secrets

    vi.advanceTimersByTime(12 * 3_600_000)

    expect(ticketKey).toHaveLength(48)
    expect(told.at(-1)!.ticketKey).not.toEqual(ticketKey)
    expect(lines.map(({ event }) => event)).toEqual(['certificate expired', 'certificate expired'])
  } finally {
    vi.useRealTimers()
  }
})

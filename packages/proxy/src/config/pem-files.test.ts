import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { certificateFile } from '../traffic/certificates.test-support.ts'
import { configHash } from './config-hash.ts'
import { loadConfig } from './load.ts'
import { pemFilesOf } from './pem-files.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sticky-pem-'))
  const files = ['shop.cert.pem', 'shop.key.pem', 'blog.key.pem', 'encrypted.key.pem', 'authority.pem']
  for (const file of files) copyFileSync(certificateFile(file), join(folder, file))
  writeFileSync(join(folder, 'text.pem'), 'hello')
  writeFileSync(join(folder, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
})

afterAll(() => rmSync(folder, { recursive: true }))

const backends = '[{ id: a, url: https://127.0.0.1:3001 }]'

function configured(listen: string, pool = `backends: ${backends}`): ReturnType<typeof loadConfig> {
  const file = join(folder, 'sticky.yaml')
  writeFileSync(file, `listen: [{ address: :8443${listen} }]\npools:\n  shop: { ${pool} }\n`)
  return loadConfig(file)
}

describe('a listener with certificates', () => {
  test('has them from the folder of the file that names them', () => {
    const { listen } = configured(', tls: [{ cert: shop.cert.pem, key: shop.key.pem }]')

    expect(listen[0]!.tls).toEqual([{ cert: join(folder, 'shop.cert.pem'), key: join(folder, 'shop.key.pem') }])
  })

  test.each([
    ['cert: none.pem, key: shop.key.pem', 'cert: must be a file that can be read; FOLDER/none.pem cannot (ENOENT)'],
    ['cert: text.pem, key: shop.key.pem', 'cert: must be a PEM file of certificates, as openssl x509'],
    ['cert: broken.pem, key: shop.key.pem', 'cert: must be a PEM file of certificates, as openssl x509'],
    ['cert: shop.cert.pem, key: none.pem', 'key: must be a file that can be read; FOLDER/none.pem cannot (ENOENT)'],
    ['cert: shop.cert.pem, key: text.pem', 'key: must be a PEM file with a private key; FOLDER/text.pem is none'],
    ['cert: shop.cert.pem, key: shop.cert.pem', 'key: must be a PEM file with a private key'],
    ['cert: shop.cert.pem, key: blog.key.pem', 'key: must be the key of the first certificate in cert; that in FOLDER'],
    ['cert: shop.cert.pem, key: encrypted.key.pem', 'key: must be without a passphrase'],
    ['cert: shop.cert.pem', 'key: is missing'],
    ['cert: "", key: shop.key.pem', 'cert: must be the path of a PEM file such as'],
  ])('%s is told with its place, its file and what would be right', (pair, told) => {
    expect(() => configured(`, tls: [{ ${pair} }]`)).toThrow(`listen[0].tls[0].${told.replace('FOLDER', folder)}`)
  })
})

describe('backends over TLS', () => {
  test('have what their pool says, where they do not say it themselves', () => {
    const { pools } = configured(
      '',
      'tls: { ca: authority.pem, serverName: SHOP.example.com, cert: shop.cert.pem, key: shop.key.pem }, ' +
        'backends: [{ id: a, url: https://a }, { id: b, url: https://b, tls: { serverName: b.example.com } }]',
    )

    const [a, b] = pools[0]!.backends
    expect(a!.tls).toMatchObject({ ca: join(folder, 'authority.pem'), serverName: 'shop.example.com' })
    expect(b!.tls).toMatchObject({ ca: join(folder, 'authority.pem'), serverName: 'b.example.com' })
    expect(b!.tls.key).toBe(join(folder, 'shop.key.pem'))
  })

  test.each([
    ['tls: { ca: text.pem }', 'tls.ca: must be a PEM file of certificates'],
    ['tls: { cert: shop.cert.pem }', 'tls.cert: needs its key beside it'],
    ['tls: { key: shop.key.pem }', 'tls.key: needs its cert beside it'],
    ['tls: { cert: shop.cert.pem, key: blog.key.pem }', 'tls.key: must be the key of the first certificate in cert'],
    ['tls: { insecure: true, ca: authority.pem }', 'tls.insecure: asks no authority'],
    ['tls: { serverName: 10.0.0.1 }', 'tls.serverName: must be a host name such as'],
  ])('%s is a mistake', (tls, told) => {
    expect(() => configured('', `backends: ${backends}, ${tls}`)).toThrow(`pools.shop.${told}`)
  })

  test('in clear have nothing to be known by', () => {
    const pool = 'backends: [{ id: a, url: http://a, tls: { insecure: true } }]'

    expect(() => configured('', pool)).toThrow('pools.shop.backends[0].tls: needs a url that begins with https://')
  })
})

test('nodes with their files in different places agree', () => {
  const { pools, ...config } = configured('', `backends: ${backends}, tls: { ca: authority.pem }`)
  const moved = pools.map((pool) => ({
    ...pool,
    tls: { ...pool.tls, ca: '/elsewhere' },
    backends: pool.backends.map((backend) => ({ ...backend, tls: { ...backend.tls, ca: '/elsewhere' } })),
  }))

  expect(configHash({ ...config, pools: moved })).toBe(configHash({ ...config, pools }))
})

test('a configuration without TLS names no files', () => {
  expect(pemFilesOf(configured(''))).toEqual([])
})

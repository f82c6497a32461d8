import { type AdminApi, apiVersion, type BackendResource, type NodeResource } from '@sticky/proxy/admin-api'
import { expect, test } from 'vitest'

import { adminServer } from './admin-fixture.ts'
import { stickyCli } from './sticky-cli.ts'

const backends = [
  { pool: 'shop', id: 'a' },
  { pool: 'shop', id: 'b.1' },
  { pool: 'blog', id: 'a' },
  { pool: '$(touch /tmp/x)', id: '`reboot`' },
] as BackendResource[]
const api: Partial<AdminApi> = {
  backends: async () => ({ apiVersion, backends }),
  nodes: async () => ({
    apiVersion,
    complete: true,
    agree: true,
    nodes: [{ id: 'n-1' }, { id: 'n 2; reboot' }] as NodeResource[],
  }),
}

test.each([
  ['pool', ['shop', 'blog']],
  ['backend', ['a', 'b.1']],
  ['pool/backend', ['shop/a', 'shop/b.1', 'blog/a']],
  ['node', ['n-1']],
])('names of kind %s are one a line, each once, and none that a shell would expand', async (kind, names) => {
  await using server = await adminServer(api)

  const run = await stickyCli(['names', kind, '--admin', `http://${server.address}`])

  expect(run).toEqual({ code: 0, stdout: names.map((name) => `${name}\n`).join(''), stderr: '' })
})

test.each([
  ['refuses', { backends: () => Promise.reject(new Error('a bug')) }],
  ['does not answer', { backends: () => new Promise<never>(() => {}) }],
])('there are no names where the node %s', async (_, silent: Partial<AdminApi>) => {
  await using server = await adminServer(silent)

  const run = await stickyCli(['names', 'pool', '--admin', `http://${server.address}`])

  expect(run).toEqual({ code: 0, stdout: '', stderr: '' })
})

import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  certificateFile,
  certificateText,
  type TestCertificate,
} from '../packages/proxy/src/traffic/certificates.test-support.ts'
import { eventually } from './support/eventually.ts'
import { ProxyNode } from './support/proxy-node.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

// Two nodes over one Redis, the first with two workers; both show certificates from files that tests replace.

const ca = certificateText('authority.pem')
const folder = mkdtempSync(join(tmpdir(), 'sticky-tls-'))
const opened = new AsyncDisposableStack()
let nodes: readonly [ProxyNode, ProxyNode]

function put(name: TestCertificate, as: TestCertificate = name): void {
  for (const part of ['cert', 'key'])
    copyFileSync(certificateFile(`${name}.${part}.pem`), join(folder, `${as}.${part}.pem`))
}

beforeAll(async () => {
  for (const name of ['shop', 'blog'] as const) put(name)
  const apps = await Promise.all(['a', 'b'].map(async (id) => opened.use(await ScriptedApp.start(id))))
  const tls = ['shop', 'blog'].map((name) => ({
    cert: join(folder, `${name}.cert.pem`),
    key: join(folder, `${name}.key.pem`),
  }))
  const shared = {
    store: { url: redisUrl(), prefix: freshPrefix() },
    listen: [{ address: '127.0.0.1:0', tls }, { address: '127.0.0.1:0' }],
    pools: { shop: { backends: apps.map(({ id, url }) => ({ id, url })) } },
  }
  const [one, two] = await Promise.all([
    ProxyNode.start({ ...shared, node: { id: 'n1', workers: 2 } }),
    ProxyNode.start({ ...shared, node: { id: 'n2', workers: 1 } }),
  ])
  nodes = [opened.use(one!), opened.use(two!)]
}, 60_000)

afterAll(async () => {
  await opened.disposeAsync()
  rmSync(folder, { recursive: true })
})

interface Reply {
  readonly status: number
  readonly cookies: readonly string[]
  readonly app: string | undefined
  readonly seen: { readonly headers: Readonly<Record<string, string>> }
}

async function ask(node: ProxyNode, cookie?: string): Promise<Reply> {
  const call = request({
    ...{ host: '127.0.0.1', port: node.port, servername: 'shop.example.com', ca, agent: false },
    headers: { Host: 'shop.example.com', ...(cookie === undefined ? {} : { Cookie: cookie }) },
  })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let body = ''
  for await (const bytes of response) body += bytes
  const { headers, statusCode } = response
  return {
    status: statusCode!,
    cookies: headers['set-cookie'] ?? [],
    app: headers['x-app'] as string | undefined,
    seen: JSON.parse(body) as Reply['seen'],
  }
}

async function dial(node: ProxyNode, session?: Buffer): Promise<TLSSocket> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: node.port, servername: 'shop.example.com', ca },
    ...(session && { session }),
  })
  await once(socket, 'secureConnect')
  return socket
}

async function shownBy(node: ProxyNode): Promise<string> {
  const socket = await dial(node)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

describe('sessions over TLS', () => {
  test('stick on every node and worker, by a cookie that is __Host- and Secure', async () => {
    const first = await ask(nodes[0])
    const [cookie] = first.cookies
    const pair = cookie!.split(';')[0]!

    const replies = await Promise.all(Array.from({ length: 20 }, (_, turn) => ask(nodes[turn % 2]!, pair)))

    expect(cookie).toMatch(/^__Host-sticky=[^;]+; .*Secure/)
    expect(new Set(replies.map(({ app }) => app))).toEqual(new Set([first.app]))
    expect(first.seen.headers['x-forwarded-proto']).toBe('https')
  })

  test('of clients that come in clear have neither', async () => {
    const response = await fetch(`http://127.0.0.1:${nodes[0].ports[1]}/`)

    expect(response.headers.get('set-cookie')).toMatch(/^sticky=/)
    expect(response.headers.get('set-cookie')).not.toContain('Secure')
  })

  test('are resumed by whichever worker of a node', async () => {
    const first = await dial(nodes[0])
    const [session] = (await once(first, 'session')) as [Buffer]
    first.destroy()

    const resumed: boolean[] = []
    for (let turn = 0; turn < 16; turn++) {
      const socket = await dial(nodes[0], session)
      resumed.push(socket.isSessionReused())
      socket.destroy()
    }

    expect(new Set(resumed)).toEqual(new Set([true]))
  })
})

describe('certificates', () => {
  test('are replaced in every worker when their files are, and open connections go on', async () => {
    const before = await dial(nodes[0])
    const old = before.getPeerCertificate().fingerprint256

    put('renewed', 'shop')
    const lines = await Promise.all(nodes.map((node) => node.logged('certificate replaced')))
    const shown = await eventually(
      () => Promise.all(Array.from({ length: 16 }, (_, turn) => shownBy(nodes[turn % nodes.length]!))),
      (prints) => !prints.includes(old),
    )

    expect(new Set(shown).size).toBe(1)
    for (const line of lines) expect(line.names).toContain('shop.example.com')
    before.write('GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n')
    const [bytes] = (await once(before, 'data')) as [Buffer]
    expect(bytes.toString()).toMatch(/^HTTP\/1.1 200/)
    before.destroy()
  })

  test('that do not fit their key are refused, and those before stay', async () => {
    const before = await shownBy(nodes[1])

    copyFileSync(certificateFile('blog.key.pem'), join(folder, 'shop.key.pem'))
    const line = await nodes[1].logged('certificate refused')

    expect(line).toMatchObject({ level: 'error', cert: join(folder, 'shop.cert.pem') })
    expect(line.reason).toMatch(/shop\.key\.pem must be the key of the first certificate/)
    expect(await shownBy(nodes[1])).toBe(before)
    expect((await ask(nodes[1])).status).toBe(200)
  })

  test('are used when the rest of a pair has come, and one that is past its time is warned of', async () => {
    put('expired', 'blog')

    expect(await nodes[0].logged('certificate expired')).toMatchObject({
      level: 'warn',
      expires: '2021-01-01T00:00:00.000Z',
    })
  })

  test('of another configuration are read when that is reloaded, and one that cannot be is refused whole', async () => {
    writeFileSync(join(folder, 'new.cert.pem'), certificateText('local.cert.pem'))
    writeFileSync(join(folder, 'new.key.pem'), certificateText('local.key.pem'))
    await using node = await ProxyNode.start({
      pools: { shop: { backends: [{ id: 'a', url: 'http://127.0.0.1:9' }] } },
    })
    const config = (key: string): object => ({
      listen: [{ address: '127.0.0.1:0', tls: [{ cert: join(folder, 'new.cert.pem'), key: join(folder, key) }] }],
      pools: { shop: { backends: [{ id: 'a', url: 'http://127.0.0.1:9' }] } },
    })

    await node.write(config('blog.key.pem'))
    const refused = await node.reload()
    await node.write(config('new.key.pem'))
    const taken = await node.reload()

    expect([refused.status, taken.status]).toEqual([422, 200])
    const socket = connect({ host: '127.0.0.1', port: node.port, ca })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subject.CN).toBe('local')
    socket.destroy()
  })
})

describe('backends over TLS', () => {
  test('are verified by the pool’s authorities; of one that nobody vouches for log and metrics tell', async () => {
    const server = createServer(
      { cert: certificateText('local.cert.pem'), key: certificateText('local.key.pem') },
      (_, response) => response.end('hello'),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const backends = [{ id: 'a', url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }]
    await using node = await ProxyNode.start({
      pools: {
        known: { backends, tls: { ca: certificateFile('authority.pem') } },
        unknown: { backends },
        believed: { backends, tls: { insecure: true } },
      },
      routes: ['known', 'unknown', 'believed'].map((pool) => ({ path: `/${pool}`, pool })),
    })

    const replies = await Promise.all(
      ['known', 'unknown', 'believed'].map((pool) => fetch(`http://127.0.0.1:${node.port}/${pool}`)),
    )
    const metrics = await (await fetch(new URL('/metrics', node.admin))).text()
    server.closeAllConnections()
    server.close()

    expect(replies.map(({ status }) => status)).toEqual([200, 502, 200])
    expect(await node.logged('backend not secure')).toMatchObject({
      ...{ level: 'warn', pool: 'unknown', backend: 'a' },
      reason: expect.stringMatching(/unable to (verify|get)|self-signed/),
    })
    expect(metrics).toMatch(/^sticky_backend_tls_failures_total{pool="unknown",backend="a"} \d/m)
  })
})

import { mkdtempSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'
import { VisitedApp } from '../support/visited-app.ts'

const secrets = {
  redis: 'the-password-of-redis',
  wrong: 'a-password-redis-refuses',
  sealing: 'the-secret-that-seals',
  token: 'the-token-of-operators',
  bearer: 'the-token-of-a-client',
  query: 'the-secret-in-a-query',
}

test('nothing secret is in an answer of the admin API or a line of the log, whatever is asked and goes wrong', async () => {
  await using app = await VisitedApp.start('a')
  await using redis = await startRedis({ settings: ['--requirepass', secrets.redis] })
  await using node = await ProxyNode.start(configuration(app, redis, secrets.redis), [], environment)
  await using stranger = await ProxyNode.start(configuration(app, redis, secrets.wrong), [], environment)
  const cookies = await visit(node)
  const told = [...(await everythingAsked(node, cookies)), ...(await refusedReloads(node, app))]
  await stranger.logged('starting without the store')
  told.push(await asked(stranger, 'GET', '/readyz'), await asked(stranger, 'GET', '/v1/backends'))

  await redis.kill()
  await node.logged('store lost')
  told.push(...(await everythingAsked(node, cookies)))
  for (const each of [node, stranger]) {
    each.signal('SIGINT')
    await each.exit()
    told.push(...each.lines.map((line) => JSON.stringify(line)), each.errors)
  }

  expect(told.filter((text) => text.includes('"msg":"exchange"'))).not.toEqual([])
  for (const secret of [...Object.values(secrets), ...cookies.values()])
    expect(told.filter((text) => text.includes(secret) || text.includes(encodeURIComponent(secret)))).toEqual([])
})

const tokenFile = join(mkdtempSync(join(tmpdir(), 'sticky-token-')), 'token')
writeFileSync(tokenFile, `${secrets.token}\n`)
const environment = { env: { SEALING: secrets.sealing } }

function configuration(app: VisitedApp, redis: LocalRedis, password: string): object {
  const pool = (strategy: object) => ({ backends: [app.backend], affinity: [strategy] })
  return {
    node: { workers: 1 },
    admin: { address: '127.0.0.1:0', token: `file:${tokenFile}` },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people write
    secrets: ['${SEALING}'],
    store: { url: redis.url.replace('//', `//:${password}@`) },
    accessLog: true,
    pools: {
      shop: pool({ strategy: 'session-cookie', begin: 'always', recoverBy: ['app'] }),
      legacy: pool({ strategy: 'persistence-key', from: [{ cookie: 'app' }] }),
    },
    routes: [{ host: 'legacy.example', pool: 'legacy' }, { pool: 'shop' }],
    drain: { grace: '100ms' },
  }
}

/** Begins a session of ours and one by a key; the values of all their cookies. */
async function visit(node: ProxyNode): Promise<Map<string, string>> {
  const visitor = new Browser()
  const legacy = new Browser('legacy.example')
  for (const one of [visitor, legacy, visitor, legacy]) await one.get(node.port, `/?password=${secrets.query}`)
  await fetch(`http://127.0.0.1:${node.port}/`, { headers: { Authorization: `Bearer ${secrets.bearer}` } })
  return new Map([
    ...visitor.cookies,
    ...[...legacy.cookies].map(([name, value]) => [`legacy ${name}`, value] as const),
  ])
}

/** What every path answers. */
async function everythingAsked(node: ProxyNode, cookies: ReadonlyMap<string, string>): Promise<string[]> {
  const cookie = Array.from(cookies, ([name, value]) => `${name.replace('legacy ', '')}=${value}`).join('; ')
  const lists = await Promise.all(
    ['sessions', 'sessions:count', 'backends', 'nodes', 'load', 'config', 'pools/shop/backends/a'].map((path) =>
      asked(node, 'GET', `/v1/${path}`),
    ),
  )
  const ids = new Set(Array.from(lists[0]!.matchAll(/"id":"([\w-]{22})"/g), ([, id]) => id!))
  const [url, headers] = ['http://shop.example/', [['Authorization', `Bearer ${secrets.bearer}`]]]
  return [
    ...lists,
    ...(await Promise.all(
      [...ids].flatMap((id) => ['', '/cookies'].map((what) => asked(node, 'GET', `/v1/sessions/${id}${what}`))),
    )),
    ...(await Promise.all(['/metrics', '/readyz', '/healthz'].map((path) => asked(node, 'GET', path)))),
    await asked(node, 'POST', '/v1/explain', { url, cookie, headers }),
    await asked(node, 'POST', '/v1/explain', { url: url.replace('shop', 'legacy'), cookie, headers }),
    await asked(node, 'POST', '/v1/sessions:find', { cookie: cookie.split('; ')[0] }),
    await asked(node, 'POST', '/v1/sessions:move', { from: 'a', dryRun: true }),
    await asked(node, 'POST', '/v1/sessions:move', 'no object'),
    await asked(node, 'PATCH', '/v1/pools/shop/backends/a', { weight: 2 }),
  ]
}

/** What is said of files that are wrong beside their secrets, or in them. */
async function refusedReloads(node: ProxyNode, app: VisitedApp): Promise<string[]> {
  const answers: string[] = []
  const pools = `pools: { shop: { backends: [{ id: a, url: "${app.backend.url}" }] } }`
  for (const text of [
    `secrets: ["${secrets.sealing} \${NOWHERE}"]\n${pools}`,
    `secrets: "${secrets.sealing}"\nadmin: { address: ":1", token: "${secrets.token} x" }\n${pools}`,
    `store: { url: "redis://:${secrets.redis}@h:port" }\n${pools}`,
    `store: { url: "redis+sentinel://:${secrets.redis}@h/m?password=${secrets.wrong}" }\n${pools}`,
    `admin: { token: "${secrets.token}\n${pools}`,
    `secrets: [${secrets.sealing}, ${secrets.sealing}]\nbogus: 1\n${pools}`,
  ]) {
    await writeFile(node.file, text)
    answers.push(await asked(node, 'POST', '/v1/reload'))
  }
  expect(answers.map((answer) => JSON.parse(answer).code)).toEqual(answers.map(() => 'configuration-refused'))
  return answers
}

async function asked(node: ProxyNode, method: string, path: string, body?: unknown): Promise<string> {
  const headers = { Authorization: `Bearer ${secrets.token}` }
  const response = await fetch(new URL(path, node.admin), {
    method,
    headers,
    body: body && JSON.stringify(body),
  } as RequestInit)
  expect(response.status).not.toBe(401)
  return await response.text()
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { stickyCli } from './sticky-cli.ts'

test.each(['memory:', 'redis'])('a session of a real node over %s can be found, read and ended', async (store) => {
  await using application = createServer((_, response) =>
    response.setHeader('set-cookie', 'JSESSIONID=42; Path=/').end(),
  )
  await once(application.listen(0, '127.0.0.1'), 'listening')
  await using node = await ProxyNode.start({
    node: { id: 'n1', workers: 1 },
    store: { url: store === 'redis' ? redisUrl() : store, prefix: freshPrefix() },
    pools: {
      shop: {
        backends: [{ id: 'a', url: `http://127.0.0.1:${(application.address() as AddressInfo).port}` }],
        affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }], age: '300s' }],
      },
    },
  })
  await fetch(`http://127.0.0.1:${node.port}/`)
  const cli = async (...words: string[]) => await stickyCli(['--admin', node.admin, ...words])
  const json = async (...words: string[]) => JSON.parse((await cli('--json', ...words)).stdout)

  const listed = await json('sessions')
  const found = await json('sessions', 'show', '--cookie', 'JSESSIONID=42')
  const ended = await cli('sessions', 'end', listed.id)
  const again = await cli('sessions', 'show', listed.id)

  expect(listed).toMatchObject({ pool: 'shop', backend: 'a', source: 'cookie:JSESSIONID', age: 300 })
  expect(found.sessions).toMatchObject([{ id: listed.id }])
  expect([ended.code, again.code]).toEqual([0, 3])
  expect(await json('sessions', 'count')).toMatchObject({ total: 0 })
  expect(await json('nodes')).toMatchObject({ agree: true, nodes: [{ id: 'n1', self: true }] })
  expect(await json('backends')).toMatchObject({ backends: [{ id: 'a', state: 'ready' }] })
  expect(await json('load')).toMatchObject({ load: [{ backend: 'a', cluster: 0 }] })
})

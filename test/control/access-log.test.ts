import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { type LogLine, ProxyNode } from '../support/proxy-node.ts'
import { configuration } from './nodes.ts'

test('several workers write whole lines to one pipe, one for each exchange', async () => {
  await using app = await HoldingApp.start('a')
  const routes = [{ path: '/now', pool: 'shop' }]
  await using node = await ProxyNode.start(configuration(app, { accessLog: true, routes }))
  const path = `/nowhere/${'x'.repeat(900)}`

  const statuses = await Promise.all(Array.from({ length: 1000 }, async () => (await getOne(node, path)).status))
  node.signal('SIGINT')
  await node.exit()

  expect(new Set(statuses)).toEqual(new Set([404]))
  const exchanges = node.lines.filter((line) => line.msg === 'exchange')
  expect(new Set(exchanges.map((line) => line.request_id)).size).toBe(1000)
  expect(exchanges.every((line) => line.path === path && line.refusal === 'no-route')).toBe(true)
  expect(new Set(exchanges.map(workerOf)).size).toBe(2)
})

function getOne(node: ProxyNode, path: string) {
  return new Browser().get(node.port, path)
}

/** Each worker's request ids begin with something of its own. */
function workerOf({ request_id }: LogLine): string {
  return String(request_id).slice(0, String(request_id).lastIndexOf('-'))
}

import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { configuration, startedWorkers, workersStarted } from './nodes.ts'

test('metrics are those of all workers, and do not fall when one of them is killed', async () => {
  await using app = await HoldingApp.start('a')
  await using node = await ProxyNode.start(configuration(app))
  for (let sent = 0; sent < 20; sent++) await new Browser().get(node.port, '/now')

  const before = await scrape(node)
  process.kill(startedWorkers(node)[0]!, 'SIGKILL')
  await workersStarted(node, 3)
  const after = await scrape(node)

  for (const metrics of [before, after]) {
    expect(metrics).toContain('sticky_requests_total{pool="shop",backend="a",code="200"} 20\n')
    expect(metrics).toContain('sticky_request_duration_seconds_count{pool="shop"} 20\n')
    expect(metrics).toContain('sticky_session_decisions_total{pool="shop",result="new"} 20\n')
    expect(metrics).toContain('sticky_sessions{pool="shop",backend="a"} 20\n')
    expect(metrics).toContain('sticky_store_up 1\n')
    expect(metrics).toContain('sticky_workers 2\n')
  }
  expect(before).toContain('sticky_worker_restarts_total 0\n')
  expect(after).toContain('sticky_worker_restarts_total 1\n')
})

async function scrape(node: ProxyNode): Promise<string> {
  const response = await fetch(`${node.admin}/metrics`)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/)
  return await response.text()
}

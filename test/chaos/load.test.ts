import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { Application } from './application.ts'
import { Load } from './load.ts'

test('a load notices sessions that move, counters that are lost and applications that die', async () => {
  await using stack = new AsyncDisposableStack()
  const one = stack.use(await Application.start('a'))
  const other = stack.use(await Application.start('b'))
  // No balancer at all: whoever is asked in turn answers.
  let targets = [one, other]
  const load = stack.use(new Load(() => targets.map(({ port }) => ({ host: '127.0.0.1', port }))))

  await eventually(
    () => load.moved.length,
    (count) => count > 50,
  )
  targets = [one]
  const faults = () => new Set(load.faults.map(({ fault }) => fault!.replace(/\d+/g, 'N')))
  await eventually(faults, (seen) => seen.has('moved without a cookie for it'))
  await one.kill()
  await one.start()
  await eventually(faults, (seen) => seen.has('counter at N instead of N'))
  await one.kill()
  await eventually(faults, (seen) => [...seen].some((fault) => fault.includes('ECONNREFUSED')))

  expect(load.visits.length).toBeGreaterThan(load.faults.length)
})

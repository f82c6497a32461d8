import { expect, test } from 'vitest'

import type { Config } from '../config/config.ts'
import { ConfigErrors } from '../config/config-errors.ts'
import { testConfig, testLog, testPool } from './fixtures.test-support.ts'
import { Reloads } from './reloads.ts'
import { StartFailure } from './start-failure.ts'

const other = testConfig({ pools: [testPool('shop', ['a', 'c'])] })
const mistake = { source: 'sticky.yaml', place: { line: 3, column: 5 }, path: ['listen'], problem: 'must be a list' }

/** A node that adopts what it is given, unless `refuses` says why not. */
function node({ refuses }: { refuses?: string } = {}) {
  const { log, events } = testLog()
  const adopting = { config: testConfig(), most: 0, now: 0 }
  const reloads = new Reloads(adopting, log, async (config) => {
    adopting.most = Math.max(adopting.most, ++adopting.now)
    await new Promise(setImmediate)
    adopting.now--
    if (refuses !== undefined) throw new StartFailure(refuses)
    adopting.config = config
  })
  return { adopting, reloads, events, numbers: () => numbersOf(reloads) }
}

function numbersOf(reloads: Reloads): Record<string, number> {
  return Object.fromEntries(
    reloads
      .metrics()
      .flatMap(({ name, values }) =>
        values.map(({ labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
      ),
  )
}

test('what is read is adopted, told, counted and logged', async () => {
  const { adopting, reloads, events, numbers } = node()

  const changes = await reloads.reload(() => other)

  expect(changes.backends).toEqual({ added: ['shop/c'], removed: ['shop/b'], changed: [] })
  expect(adopting.config).toEqual(other)
  expect(numbers()).toMatchObject({ 'sticky_config_reloads_total success': 1, sticky_config_last_reload_success: 1 })
  expect(events).toEqual([
    {
      level: 'info',
      event: 'configuration reloaded',
      fields: { backends_added: ['shop/c'], backends_removed: ['shop/b'] },
    },
  ])
})

test('what is unchanged is not adopted again', async () => {
  const { reloads, events } = node({ refuses: 'it was asked' })

  await reloads.reload(() => testConfig())

  expect(events).toEqual([{ level: 'info', event: 'configuration unchanged', fields: {} }])
})

test('a second listener on any port is no repetition of the first', async () => {
  const { adopting, reloads } = node()
  const [listener] = testConfig().listen

  await reloads.reload(() => testConfig({ listen: [listener!, listener!] }))

  expect(adopting.config.listen).toHaveLength(2)
})

test('mistakes are told as they are, logged one by one and counted; the configuration stays', async () => {
  const { adopting, reloads, events, numbers } = node()

  const reloading = reloads.reload(() => {
    throw new ConfigErrors([mistake, mistake])
  })

  await expect(reloading).rejects.toThrow(ConfigErrors)
  expect(adopting.config).toEqual(testConfig())
  expect(numbers()).toMatchObject({ 'sticky_config_reloads_total failure': 1, sticky_config_last_reload_success: 0 })
  const line = 'sticky.yaml:3:5: listen: must be a list'
  expect(events).toEqual([{ level: 'error', event: 'configuration refused', fields: { mistakes: [line, line] } }])
})

test('what the workers refuse is told and logged with their reason', async () => {
  const { reloads, events } = node({ refuses: 'script /x.ts of pool shop cannot be used: oops' })

  await expect(reloads.reload(() => other)).rejects.toThrow('oops')

  expect(events).toMatchObject([
    { event: 'configuration refused', fields: { reason: 'script /x.ts of pool shop cannot be used: oops' } },
  ])
})

test('one that succeeds after one that failed makes all well again', async () => {
  const { reloads, numbers } = node()

  await reloads
    .reload(() => {
      throw new ConfigErrors([mistake])
    })
    .catch(() => {})
  await reloads.reload(() => other)

  expect(numbers()).toEqual({
    'sticky_config_reloads_total success': 1,
    'sticky_config_reloads_total failure': 1,
    sticky_config_last_reload_success: 1,
  })
})

test('several at once go one after the other, each from where the one before came to', async () => {
  const { adopting, reloads } = node()
  const third = testConfig({ pools: [testPool('shop', ['d'])] })

  const [, last] = await Promise.all([reloads.reload(() => other), reloads.reload((): Config => third)])

  expect(adopting.most).toBe(1)
  expect(last.backends).toEqual({ added: ['shop/d'], removed: ['shop/a', 'shop/c'], changed: [] })
})

test('what needs a restart is warned about', async () => {
  const { reloads, events } = node()

  await reloads.reload(() => testConfig({ node: { id: 'n2', workers: 1 } }))

  expect(events).toContainEqual({
    level: 'warn',
    event: 'configuration needs a restart',
    fields: { keys: ['node.id'] },
  })
})

import { type ClusterTable, MemoryStore, StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { testLog } from './fixtures.test-support.ts'
import { keepSecrets, sharedSecrets } from './shared-secrets.ts'

test('configured secrets are what cookies are sealed with', async () => {
  const { cluster } = new MemoryStore()

  const secrets = await sharedSecrets(cluster, ['new', 'old'], testLog().log, neverAborted())

  expect(secrets.sealing).toEqual(['new', 'old'])
})

test('a start waits for a store that is not there yet', async () => {
  const { cluster } = new MemoryStore()
  let failures = 3
  const late: Pick<ClusterTable, 'secret'> = {
    secret: (name, proposal) =>
      failures-- > 0 ? Promise.reject(new StoreUnavailable('not yet')) : cluster.secret(name, proposal),
  }

  const secrets = await sharedSecrets(late, ['configured'], testLog().log, neverAborted())

  expect(secrets.fingerprint).toMatch(/^[\w-]{43}$/)
})

test('a start goes on with secrets of its own when the store is away, and the cluster’s come before them later', async () => {
  const { log, events } = testLog()
  const own = await sharedSecrets(refusing, [], log, neverAborted())
  const { cluster } = new MemoryStore()
  const shared = await sharedSecrets(cluster, [], log, neverAborted())

  const kept = await keepSecrets(cluster, [], own)

  expect(events).toMatchObject([{ level: 'warn', event: 'starting without the store' }])
  expect(kept.sealing).toEqual([...shared.sealing, ...own.sealing])
  expect(kept.fingerprint).toBe(shared.fingerprint)
})

test('nodes with the same secrets agree on all of them without a store, and with one', async () => {
  const secrets = ['new', 'old']
  const [one, other] = [1, 2].map(() => sharedSecrets(refusing, secrets, testLog().log, neverAborted()))
  const third = await sharedSecrets(new MemoryStore().cluster, secrets, testLog().log, neverAborted())

  expect(await one).toEqual(await other)
  expect(await one).toEqual(third)
})

test('a start that waits for its store can be given up', async () => {
  const stop = new AbortController()
  const waiting = sharedSecrets(absent, ['configured'], testLog().log, stop.signal)

  stop.abort()

  await expect(waiting).rejects.toThrow('aborted')
})

test('a store that forgot gets the secrets back', async () => {
  const held = await sharedSecrets(new MemoryStore().cluster, [], testLog().log, neverAborted())
  const forgetful = new MemoryStore().cluster

  expect(await keepSecrets(forgetful, [], held)).toEqual(held)
  expect(await sharedSecrets(forgetful, [], testLog().log, neverAborted())).toEqual(held)
})

test('where another node was quicker its secret seals, and ours still opens', async () => {
  const held = await sharedSecrets(new MemoryStore().cluster, [], testLog().log, neverAborted())
  const { cluster } = new MemoryStore()
  const quicker = await sharedSecrets(cluster, [], testLog().log, neverAborted())

  const kept = await keepSecrets(cluster, [], held)

  expect(kept.sealing).toEqual([...quicker.sealing, ...held.sealing])
  expect(kept.fingerprint).toBe(quicker.fingerprint)
})

const refusing: Pick<ClusterTable, 'secret'> = {
  secret: () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    return Promise.reject(new StoreUnavailable('away', { cause }))
  },
}

const absent: Pick<ClusterTable, 'secret'> = {
  secret: () => Promise.reject(new StoreUnavailable('away')),
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

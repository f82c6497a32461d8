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
  expect(kept.fingerprint).toBe(held.fingerprint)
})

const absent: Pick<ClusterTable, 'secret'> = {
  secret: () => Promise.reject(new StoreUnavailable('away')),
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

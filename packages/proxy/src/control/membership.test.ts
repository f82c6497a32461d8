import { MemoryStore, StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { Keyring, type KeyringData, keyId } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import { testConfig, testLog, testPool } from './fixtures.test-support.ts'
import { type ClusterMembership, joinCluster } from './membership.ts'
import { sharedSecrets } from './shared-secrets.ts'

test('nodes without configured secrets seal with one they share', async () => {
  const store = new MemoryStore()

  const one = await join(store)
  const other = await join(store, { node: { id: 'n2', workers: 1 } })

  expect(other.member.keyring.secrets).toEqual(one.member.keyring.secrets)
  expect(other.member.keyring.openedByAll).toEqual(one.member.keyring.secrets.map(keyId))
})

test('a secret is sealed with only when every live node opens it', async () => {
  const store = new MemoryStore()
  const old = await join(store, { secrets: ['the old secret'] })
  const rolled = await join(store, { node: { id: 'n2', workers: 1 }, secrets: ['the new secret', 'the old secret'] })
  expect(rolled.member.keyring.openedByAll).toEqual([keyId('the old secret')])

  await old.member[Symbol.asyncDispose]()

  const keyring = await rolled.nextKeyring()
  expect(keyring.openedByAll).toEqual([keyId('the new secret'), keyId('the old secret')])
})

test('a live node of the same id is warned about once, and one of another configuration', async () => {
  const store = new MemoryStore()
  await join(store)

  const twin = await join(store)
  const other = await join(store, { node: { id: 'n2', workers: 1 }, pools: [testPool('shop', ['a'])] })

  expect(twin.events).toMatchObject([{ level: 'warn', event: 'another live node has the same id' }])
  expect(other.events).toMatchObject([
    { level: 'warn', event: 'another node has a different configuration' },
    { level: 'warn', event: 'another node has a different configuration' },
  ])
})

test('a node whose configuration differs again is warned about again', async () => {
  const store = new MemoryStore()
  const { member, events } = await join(store)
  const other = await join(store, { node: { id: 'n2', workers: 1 } })
  const differing = testConfig({ node: { id: 'n2', workers: 1 }, pools: [testPool('shop', ['z'])] })
  const alike = testConfig({ node: { id: 'n2', workers: 1 } })
  await member.adopt(testConfig({ node: { id: 'n1', workers: 1 } }), [])
  const before = events.length

  for (const config of [differing, alike, differing]) {
    await other.member.adopt(config, [])
    await member.adopt(testConfig(), [])
    await member.adopt(testConfig(), [])
  }

  expect(events.slice(before).map(({ event }) => event)).toEqual(
    Array(2).fill('another node has a different configuration'),
  )
})

test('a node announces its addresses and leaves when it is disposed', async () => {
  const store = new MemoryStore()
  const { member } = await join(store)

  await member.announce(['127.0.0.1:8080'])
  expect(await store.cluster.nodes()).toMatchObject([{ id: 'n1', addresses: ['127.0.0.1:8080'] }])

  await member[Symbol.asyncDispose]()
  expect(await store.cluster.nodes()).toEqual([])
})

test('a node that runs by another configuration announces it, opens by its secrets, and seals when all do', async () => {
  const store = new MemoryStore()
  const { member } = await join(store, { secrets: ['the old secret'] })
  const [before] = await store.cluster.nodes()

  await member.adopt(testConfig({ secrets: ['the new secret', 'the old secret'], pools: [testPool('shop', ['z'])] }), [
    '127.0.0.1:1',
  ])

  const [after] = await store.cluster.nodes()
  expect(after!.configHash).not.toBe(before!.configHash)
  expect(after).toMatchObject({ addresses: ['127.0.0.1:1'], opens: ['the new secret', 'the old secret'].map(keyId) })
  expect(member.keyring).toMatchObject({
    secrets: ['the new secret', 'the old secret'],
    openedByAll: ['the new secret', 'the old secret'].map(keyId),
  })
})

test('a secret that is configured no more opens nothing', async () => {
  const { member } = await join(new MemoryStore(), { secrets: ['the new secret', 'the old secret'] })

  await member.adopt(testConfig({ secrets: ['the new secret'] }), [])

  expect(member.keyring.secrets).toEqual(['the new secret'])
})

test('be the store away, what is configured opens at once, and what is configured no more opens nothing', async () => {
  const store = new MemoryStore()
  const { member } = await join(store, { secrets: ['the older secret', 'the oldest secret'] })
  store.cluster.nodes = () => Promise.reject(new StoreUnavailable('away'))
  store.cluster.secret = store.cluster.nodes as () => Promise<never>

  await member.adopt(testConfig({ secrets: ['the new secret', 'the older secret'] }), [])

  const keyring = new Keyring(member.keyring)
  expect(member.keyring.secrets).toEqual(['the new secret', 'the older secret'])
  expect(keyring.sealing).toBe(Number.parseInt(keyId('the older secret'), 16))
})

test('a node whose exchanges go without the store says since when, until they have it again', async () => {
  const memory = new MemoryStore({ now: () => 5_000 })
  const tell: ((available: boolean) => void)[] = []
  const store: MemoryStore = Object.assign(Object.create(memory) as MemoryStore, {
    now: () => memory.now(),
    onAvailability: (listener: (available: boolean) => void) => tell.push(listener),
  })
  await join(store)
  const awaySince = async () => (await memory.cluster.nodes())[0]!.awaySince

  expect(await awaySince()).toBeUndefined()
  tell[0]!(false)
  expect(await awaySince()).toBe(5_000)
  tell[0]!(true)
  expect(await awaySince()).toBeUndefined()
})

interface Joined {
  readonly member: ClusterMembership
  readonly events: ReturnType<typeof testLog>['events']
  nextKeyring(): Promise<KeyringData>
}

async function join(store: MemoryStore, changes: Partial<Config> = {}): Promise<Joined> {
  const config = testConfig(changes)
  const { log, events } = testLog()
  const changed = Promise.withResolvers<KeyringData>()
  let next = changed
  const secrets = await sharedSecrets(store.cluster, config.secrets, log, AbortSignal.timeout(5000))
  const onKeyring = (keyring: KeyringData): void => next.resolve(keyring)
  const member = await joinCluster({ config, store, secrets, log, onKeyring })
  next = Promise.withResolvers<KeyringData>()
  return { member, events, nextKeyring: () => next.promise }
}

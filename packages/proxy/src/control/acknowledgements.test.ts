import { type ClusterTable, MemoryStore, type NodeAnnouncement, StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { Acknowledgements } from './acknowledgements.ts'
import { testLog } from './fixtures.test-support.ts'

test('a change is in force everywhere when every live node has settled it', async () => {
  const { cluster } = new MemoryStore()
  const settled: string[] = []
  const [one] = await Promise.all(['n1', 'n2'].map((id) => node(cluster, id, async () => settled.push(id) > 0)))

  expect(await one!.missing()).toEqual([])
  expect(settled.sort()).toEqual(['n1', 'n2'])
})

test('many changes at a time ask the others once', async () => {
  const { cluster } = new MemoryStore()
  let barriers = 0
  cluster.onBarrier(() => barriers++)
  const one = await node(cluster, 'n1', async () => true)

  const asked = Array.from({ length: 100 }, () => one.missing())

  expect(await Promise.all(asked)).toEqual(Array.from({ length: 100 }, () => []))
  expect(barriers).toBe(1)
})

test('a node that does not settle it is named after two seconds', async () => {
  const { cluster } = new MemoryStore()
  const one = await node(cluster, 'n1', async () => true)
  await node(cluster, 'n2', async () => false)
  await node(cluster, 'n3', () => new Promise(() => {}))
  const began = performance.now()

  expect(await one.missing()).toEqual(['n2', 'n3'])
  expect(performance.now() - began).toBeGreaterThan(1_900)
})

test('a node that leaves meanwhile is waited for no longer', async () => {
  const { cluster } = new MemoryStore()
  const one = await node(cluster, 'n1', async () => true)
  const leaving = await cluster.join(announcement('n2'))
  const missing = one.missing()

  await leaving[Symbol.asyncDispose]()

  expect(await missing).toEqual([])
})

test('without the store nobody is known to have settled it, this node least of all', async () => {
  const { cluster } = new MemoryStore()
  const away = async (): Promise<never> => {
    throw new StoreUnavailable('away')
  }
  const lost: ClusterTable = Object.assign(Object.create(cluster) as ClusterTable, {
    onBarrier: () => {},
    nodes: away,
    raiseBarrier: away,
  })

  const one = new Acknowledgements({ ...parts(lost, 'n1'), settle: async () => true })

  expect(await one.missing()).toEqual(['n1'])
})

async function node(cluster: ClusterTable, id: string, settle: () => Promise<boolean>): Promise<Acknowledgements> {
  await cluster.join(announcement(id))
  return new Acknowledgements({ ...parts(cluster, id), settle })
}

function parts(cluster: ClusterTable, id: string) {
  return { id, instance: id, cluster, log: testLog().log }
}

function announcement(id: string): NodeAnnouncement {
  return {
    ...{ id, instance: id, host: 'host', pid: 1, version: '0.1.0', workers: 1 },
    ...{ started: 0, configHash: 'same', opens: [], addresses: [] },
  }
}

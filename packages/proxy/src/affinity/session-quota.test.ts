import { expect, test } from 'vitest'

import { SessionQuota } from './session-quota.ts'

const client = { address: '192.0.2.1', secure: false }

test('a client begins as many sessions as it may in each span of time', () => {
  const { quota, wait } = made({ newPerClient: { count: 2, per: 1000 } })

  expect(times(3, () => quota.refuses(client))).toEqual([undefined, undefined, 'client-limit'])
  wait(999)
  expect(quota.refuses(client)).toBe('client-limit')
  wait(1)
  expect(quota.refuses(client)).toBeUndefined()
})

test('another client begins its own, but the addresses of one /64 are one client', () => {
  const { quota } = made({ newPerClient: { count: 1, per: 1000 } })
  const from = (address: string) => quota.refuses({ ...client, address })

  expect(['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '::ffff:192.0.2.2'].map(from)).toEqual([
    undefined,
    undefined,
    undefined,
    'client-limit',
    'client-limit',
  ])
})

test('what the application sets counts for no client', () => {
  const { quota } = made({ newPerClient: { count: 1, per: 1000 } })

  expect(times(3, () => quota.refuses(undefined))).toEqual([undefined, undefined, undefined])
})

test('a pool that is full begins none, whoever asks, until the count says that some have ended', async () => {
  const { quota, counts, wait } = made({ maxSessions: 3 })

  expect(times(4, () => quota.refuses(undefined))).toEqual([undefined, undefined, undefined, 'pool-limit'])
  counts.live = 2
  wait(1000)
  quota.refuses(undefined)
  await counted()
  expect(times(2, () => quota.refuses(client))).toEqual([undefined, 'pool-limit'])
})

test('what began elsewhere counts as soon as it is counted, and the store is asked once a second', async () => {
  const { quota, counts } = made({ maxSessions: 100 })
  counts.live = 98

  times(2, () => quota.refuses(undefined))
  await counted()

  expect(times(2, () => quota.refuses(undefined))).toEqual(['pool-limit', 'pool-limit'])
  expect(counts.asked).toBe(1)
})

test('counts that come late, one after the other, let no more begin than one', async () => {
  const { quota, counts, wait } = made({ maxSessions: 10 })
  times(8, () => quota.refuses(undefined))
  await counted()
  const late = Promise.withResolvers<void>()
  Object.assign(counts, { live: 9, until: late.promise })
  wait(1000)
  quota.refuses(undefined)
  wait(1000)
  quota.refuses(undefined)

  late.resolve()
  await counted()

  expect(times(3, () => quota.refuses(undefined))).toEqual(Array(3).fill('pool-limit'))
})

test('without a count its own go on to count', async () => {
  const { quota, counts, wait } = made({ maxSessions: 2 })
  counts.live = undefined

  times(2, () => quota.refuses(undefined))
  wait(1000)
  await counted()

  expect(quota.refuses(undefined)).toBe('pool-limit')
})

function made(limits: Partial<ConstructorParameters<typeof SessionQuota>[0]>) {
  const counts: { live: number | undefined; asked: number; until?: Promise<void> } = { live: 0, asked: 0 }
  let now = 1_000_000
  const count = async () => {
    counts.asked++
    await counts.until
    return counts.live
  }
  const quota = new SessionQuota({ newPerClient: undefined, maxSessions: 1000, ...limits }, { now: () => now, count })
  const wait = (time: number) => {
    now += time
  }
  return { quota, counts, wait }
}

function times<Answer>(number: number, ask: () => Answer): Answer[] {
  return Array.from({ length: number }, ask)
}

/** The answers that are on their way have come. */
async function counted(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

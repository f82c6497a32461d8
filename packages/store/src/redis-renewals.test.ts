import { expect, test, vi } from 'vitest'
import { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import { RedisRenewals } from './redis-renewals.ts'
import type { Script } from './redis-scripts.ts'
import { RedisShard } from './redis-shard.ts'
import { sessionScripts } from './session-scripts.ts'
import { StoreUnavailable } from './store.ts'

const bytesOfTouch = 16 + 8
const keyOf = (n: number) => ({ pool: 'shop', id: Buffer.from(`${n}`.padStart(16, '-')).toString('base64url') })

/** A way to a Redis that is away at first, and counts what it is asked to touch. */
class Way implements Pick<RedisLink, 'available' | 'run' | 'onAvailability'> {
  available = false
  touched = 0
  recorded = 0
  refused = 0
  #listener: (available: boolean) => void = () => {}

  onAvailability(listener: (available: boolean) => void): { off(): void } {
    this.#listener = listener
    return { off: () => {} }
  }

  async run(script: Script, _keys: unknown, args: readonly unknown[]): Promise<unknown> {
    if (!this.available) {
      this.refused++
      throw new StoreUnavailable('away')
    }
    if (script === sessionScripts.touch) this.touched += (args[0] as Buffer).length / bytesOfTouch
    else this.recorded++
    return []
  }

  comesBack(): void {
    this.available = true
    this.#listener(true)
  }
}

test('of touches made while Redis is away the last of each session is told on its return, and each cookie', async () => {
  const way = new Way()
  const links = { at: () => way as unknown as RedisLink } as unknown as RedisLinks
  const renewals = new RedisRenewals(new RedisShard(links, new RedisKeys('test'), 'shop', 0), () => {})

  for (let turn = 1; turn <= 3; turn++) {
    for (const n of [1, 2]) renewals.touch(keyOf(n), turn)
    renewals.record(keyOf(1), [{ name: `cookie ${turn}`, fingerprint: 'aaaaaaaaaaa', age: 1000, attributes: '' }])
    await vi.waitFor(() => expect(way.refused).toBe(2 * turn))
  }
  way.comesBack()

  await vi.waitFor(() => expect([way.touched, way.recorded]).toEqual([2, 1]))
})

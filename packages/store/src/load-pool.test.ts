import { setImmediate as turn } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { LoadPool } from './load-pool.ts'
import { RedisKeys } from './redis-keys.ts'
import { type Candidate, StoreUnavailable } from './store.ts'

const candidates: Candidate[] = [
  { id: 'a', weight: 1 },
  { id: 'b', weight: 1 },
]

/** A pool on timers and a Redis that the test moves by hand: every call waits in `sent` until it is answered. */
function pool() {
  const sent: {
    name: string
    args: readonly unknown[]
    answer(reply: unknown): Promise<void>
    fail(): Promise<void>
  }[] = []
  let timers: { due: number; callback: () => void }[] = []
  let now = 0
  const load = new LoadPool('p', {
    keys: new RedisKeys('t'),
    worker: 'w',
    lease: 1000,
    timeout: 100,
    run: ({ name }, _keys, args) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const answer = async (reply: unknown) => {
        resolve(reply)
        await turn()
      }
      const fail = async () => {
        reject(new StoreUnavailable('lost'))
        await turn()
      }
      sent.push({ name, args, answer, fail })
      return promise
    },
    after: (delay, callback) => {
      const timer = { due: now + delay, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  })
  const pass = (time: number) => {
    now += time
    const due = timers.filter((timer) => timer.due <= now)
    timers = timers.filter((timer) => timer.due > now)
    for (const { callback } of due) callback()
  }
  const names = () => sent.map(({ name }) => name)
  const opened = async () => {
    load.send()
    await sent.shift()!.answer(['ticket'])
  }
  return { load, sent, names, pass, opened }
}

describe('a pool', () => {
  test('sends all reserves of one turn in one call, grouped by their candidates', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    const first = load.reserve(candidates)
    const other = load.reserve(candidates.slice(1))
    const second = load.reserve(candidates.map((candidate) => ({ ...candidate })))

    pass(0)
    expect(sent).toHaveLength(1)
    expect(sent[0]!.args).toEqual(['ticket', 1, 0, 2, 2, 'a', 1, '', 'b', 1, '', 1, 1, 'b', 1, ''])
    await sent[0]!.answer(['a', 'b', ''])

    expect(await Promise.all([first, second, other])).toEqual(['a', 'b', undefined])
    expect(load.count('a')).toBe(1)
  })

  test('reports what begins and ends 10 ms later, in one call, and is then silent', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    load.begin('a')
    load.begin('a')
    load.begin('b')
    load.end('a')

    pass(9)
    expect(sent).toHaveLength(0)
    pass(1)
    expect(sent[0]!.args).toEqual(['ticket', 1, 2, 'a', 1, 'b', 1])
    await sent[0]!.answer([])
    pass(50)

    expect(sent).toHaveLength(1)
  })

  test('gathers further reports while a call is under way', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    load.begin('a')
    pass(10)
    load.begin('b')
    pass(10)

    expect(sent).toHaveLength(1)
    await sent[0]!.answer([])
    pass(10)

    expect(sent[1]!.args).toEqual(['ticket', 2, 1, 'b', 1])
  })

  test('gives a late grant back', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    const pick = load.reserve(candidates)
    const outcome = expect(pick).rejects.toThrow('no choice from Redis within 100 ms')
    pass(0)
    pass(100)
    await outcome

    await sent[0]!.answer(['b'])
    pass(10)

    expect(load.count('b')).toBe(0)
    expect(sent[1]!.args).toEqual(['ticket', 2, 1, 'b', -1])
  })

  test('refuses at once while a reply is overdue, and no longer when it came', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    const late = expect(load.reserve(candidates)).rejects.toBeInstanceOf(StoreUnavailable)
    pass(0)
    pass(100)
    await late

    await expect(load.reserve(candidates)).rejects.toThrow('overdue')
    await sent[0]!.answer(['a'])
    const pick = load.reserve(candidates)
    pass(0)
    await sent[1]!.answer(['b'])

    expect(await pick).toBe('b')
  })

  test('never repeats a reserve that may have had effect', async () => {
    const { load, sent, names, pass, opened } = pool()
    await opened()
    const outcome = expect(load.reserve(candidates)).rejects.toBeInstanceOf(StoreUnavailable)
    pass(0)

    await sent[0]!.fail()
    await outcome
    load.reopen()
    await sent[1]!.answer(['ticket 2'])
    pass(10)

    expect(names()).toEqual(['load-call', 'load-open'])
  })

  test('asks anew, as its next incarnation, for picks that Redis refused without effect', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    load.begin('a')
    const pick = load.reserve(candidates)
    pass(0)

    await sent[0]!.answer('unknown')
    expect(sent[1]!.args).toEqual(['w', 2, 1000, 'a', 1])
    await sent[1]!.answer(['ticket 2'])
    expect(sent[2]!.args.slice(0, 3)).toEqual(['ticket 2', 1, 0])
    await sent[2]!.answer(['b'])

    expect(await pick).toBe('b')
  })

  test('takes no notice of a reply from before a doubt', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    const first = load.reserve(candidates)
    pass(0)
    const second = load.reserve(candidates)
    pass(0)
    await sent[0]!.answer('unknown')

    await sent[1]!.answer(['a'])
    expect(load.count('a')).toBe(0)
    await sent[2]!.answer(['ticket 2'])
    await sent[3]!.answer(['a', 'b'])

    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
  })

  test('beats five times in a lease, reaps whom it is told, and looks sooner when Redis says so', async () => {
    const { sent, names, pass, opened } = pool()
    await opened()

    pass(200)
    await sent[0]!.answer([70, 'dead', 'gone'])
    expect(sent.slice(1).map(({ name, args }) => [name, ...args])).toEqual([
      ['load-reap', 'dead'],
      ['load-reap', 'gone'],
    ])
    pass(70)

    expect(names().at(-1)).toBe('load-beat')
  })

  test('opens again when a beat finds that Redis forgot', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    load.begin('a')
    pass(10)
    await sent[0]!.answer([])

    pass(200)
    await sent[1]!.answer('unknown')

    expect([sent[2]!.name, ...sent[2]!.args]).toEqual(['load-open', 'w', 2, 1000, 'a', 1])
  })

  test('sends nothing while Redis is away but one open per beat', async () => {
    const { load, sent, names, pass, opened } = pool()
    await opened()
    load.lose(new Error('gone'))

    for (let time = 0; time < 200; time += 10) {
      load.begin('a')
      pass(10)
    }

    expect(names()).toEqual(['load-open'])
    expect(sent[0]!.args.slice(3)).toEqual(['a', 20])
  })

  test('leaves in good order, and refuses afterwards', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()

    const left = load.leave()
    expect([sent[0]!.name, ...sent[0]!.args]).toEqual(['load-close', 'w', 1])
    await sent[0]!.answer(1)
    await left
    load.end('a')
    pass(1000)

    await expect(load.reserve(candidates)).rejects.toBeInstanceOf(StoreUnavailable)
    expect(sent).toHaveLength(1)
  })

  test('chooses among a rotating sample of 64 when there are more, unless limits forbid it', async () => {
    const { load, sent, pass, opened } = pool()
    await opened()
    const many = Array.from({ length: 100 }, (_none, at) => ({ id: `b${at}`, weight: 1 }))
    const capped = many.map((candidate) => ({ ...candidate, limit: 9 }))

    for (const list of [many, many, capped]) {
      load.reserve(list).catch(() => {})
      pass(0)
    }
    const ids = sent.map(({ args }) => args.filter((arg) => /^b\d/.test(String(arg))))

    expect(ids.map(({ length }) => length)).toEqual([64, 64, 100])
    expect(new Set([...ids[0]!, ...ids[1]!]).size).toBe(100)
  })
})

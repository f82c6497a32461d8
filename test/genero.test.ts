import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const stack = new AsyncDisposableStack()
let pair: Pair

beforeAll(async () => {
  const [g1, g2, g10] = await Promise.all(['g1', 'g2', 'g10'].map(async (id) => stack.use(await ScriptedApp.start(id))))
  const gone = await ScriptedApp.start('gone')
  const away = gone.url
  await gone[Symbol.asyncDispose]()
  const backends = [
    { id: 'g1', url: g1!.url, prefix: '/GAS1' },
    { id: 'g2', url: g2!.url, prefix: '/GAS2' },
    { id: 'g10', url: g10!.url, prefix: '/GAS10' },
  ]
  const drained = backends.map((backend) => (backend.id === 'g2' ? { ...backend, weight: 0 } : backend))
  const half = [{ ...backends[0], url: away }, backends[1]]
  const path = { strategy: 'instance-path', start: '/gas' }
  const cookie = { strategy: 'instance-cookie', start: '/gas' }
  const pools = {
    path: { backends, affinity: [path] },
    root: { backends, affinity: [{ ...path, start: '/' }] },
    refusing: { backends: half, affinity: [path] },
    moving: { backends: half, affinity: [{ ...path, whenAway: 'move' }] },
    drained: { backends: drained, affinity: [path] },
    mapped: { backends, affinity: [{ ...path, mapResponses: true }] },
    cookie: { backends, affinity: [cookie] },
    plain: { backends, affinity: [{ ...cookie, value: 'plain' }] },
    'plain-half': { backends: half, affinity: [{ ...cookie, value: 'plain' }] },
    both: { backends, affinity: [path, { ...cookie, value: 'plain' }] },
  }
  pair = stack.use(
    await Pair.start({
      pools: Object.fromEntries(
        Object.entries(pools).map(([id, pool]) => [
          id,
          { balance: 'roundRobin', ejection: { failures: 100 }, ...pool },
        ]),
      ),
      routes: Object.keys(pools).map((pool) => ({ host: `${pool}.example`, pool })),
    }),
  )
})

afterAll(() => stack.disposeAsync())

/** The same request on both nodes. */
async function onBoth(ask: Ask): Promise<readonly Reply[]> {
  return Promise.all(([0, 1] as const).map((node) => pair.ask({ ...ask, node })))
}

/** Where it arrived, as both nodes sent it. */
async function arrivals(ask: Ask): Promise<string[]> {
  const replies = await onBoth(ask)
  return replies.map((reply) =>
    reply.status === 200 ? `${seenBy(reply).app} ${seenBy(reply).url}` : `${reply.status}`,
  )
}

function cookiePair(reply: Reply): string | undefined {
  return reply.cookies.find((field) => field.startsWith('instance='))?.split(';')[0]
}

const prefixOf: Record<string, string> = { g1: '/GAS1', g2: '/GAS2', g10: '/GAS10' }

describe('4b.1 a prefix is whole segments in its own letter case', () => {
  test.each([
    ['/GAS1', 'g1'],
    ['/GAS1?x', 'g1'],
    ['/GAS1/', 'g1'],
    ['/GAS1/wa/sua/1', 'g1'],
    ['/GAS10', 'g10'],
    ['/GAS10/wa?x', 'g10'],
    ['/GAS2/wa/r/app', 'g2'],
  ])('4b.1 %s goes to %s, on either node', async (target, owner) => {
    expect(await arrivals({ host: 'path.example', target })).toEqual([`${owner} ${target}`, `${owner} ${target}`])
  })

  test.each(['/gas1/wa', '/GAS11/wa', '/GAS', '/GAS1x'])(
    '4b.1 %s is nobody’s: it is balanced, as it is',
    async (target) => {
      const replies = await Promise.all([1, 2, 3].map(() => pair.ask({ host: 'path.example', target, node: 0 })))

      expect(new Set(replies.map(({ app }) => app)).size).toBe(3)
      expect(replies.map((reply) => seenBy(reply).url)).toEqual([target, target, target])
    },
  )
})

describe('4b.2 a starting request is rewritten once', () => {
  test.each([
    ['path', '/gas/wa/r/app?Arg=1', '/wa/r/app?Arg=1'],
    ['path', '/gas/wa/r/%61pp%20x?Arg=/gas/%2Fgas', '/wa/r/%61pp%20x?Arg=/gas/%2Fgas'],
    ['path', '/gas/gas', '/gas'],
    ['path', '/gas?x', '?x'],
    ['path', '/gas//GAS2/wa', '//GAS2/wa'],
    ['root', '/wa/r/app?Arg=1', '/wa/r/app?Arg=1'],
    ['root', '/', '/'],
  ])('4b.2 %s: %s becomes the chosen instance’s prefix and %s', async (pool, target, rest) => {
    for (const reply of await onBoth({ host: `${pool}.example`, target })) {
      expect(seenBy(reply).url).toBe(prefixOf[reply.app!] + rest)
    }
  })

  test.each([
    '/GAS1/../GAS2/',
    '//GAS1/..',
    '/GAS1/%2e%2e/GAS2/wa',
    '/GAS1%2f..%2fGAS2/wa',
    '/gas/%2E./GAS2',
    '/gas/..;x/GAS2',
  ])('4b.2 %s crosses nothing: it is refused', async (target) => {
    expect(await arrivals({ host: 'path.example', target })).toEqual(['400', '400'])
  })

  test.each(['/GAS1//GAS2/wa', '/GAS1/%2FGAS2/wa', '/GAS1/%2fGAS2?x=../GAS2'])(
    '4b.2 %s stays with g1',
    async (target) => {
      expect(await arrivals({ host: 'path.example', target })).toEqual([`g1 ${target}`, `g1 ${target}`])
    },
  )

  test.each(['//GAS2/wa', '/%47AS2/wa', '/GAS2%2Fwa'])(
    '4b.2 %s is no prefix: nobody gets it as another path',
    async (target) => {
      const urls = (await onBoth({ host: 'path.example', target })).map((reply) => seenBy(reply).url)

      expect(urls).toEqual([target, target])
    },
  )
})

describe('4b.3 the owner is away', () => {
  test('4b.3 a session is refused with 503 and home-away', async () => {
    for (const reply of await onBoth({ host: 'refusing.example', target: '/GAS1/wa/sua/1' })) {
      expect(reply).toMatchObject({ status: 503, body: 'the backend of this session is away\n' })
      expect(reply.headers['retry-after']).toBeDefined()
    }
  })

  test('4b.3 a starting request begins elsewhere, rewritten for that one alone', async () => {
    for (const host of ['refusing.example', 'moving.example']) {
      expect(await arrivals({ host, target: '/gas/wa/r/app?Arg=1' })).toEqual(Array(2).fill('g2 /GAS2/wa/r/app?Arg=1'))
    }
  })

  test('4b.3 with whenAway: move a session moves under the prefix of the other', async () => {
    expect(await arrivals({ host: 'moving.example', target: '/GAS1/wa/sua?x=/GAS1' })).toEqual(
      Array(2).fill('g2 /GAS2/wa/sua?x=/GAS1'),
    )
  })
})

test('4b.4 a prefix typed by hand leads to its owner, drained or not', async () => {
  expect(await arrivals({ host: 'drained.example', target: '/GAS2/wa/r/app' })).toEqual(
    Array(2).fill('g2 /GAS2/wa/r/app'),
  )
  for (let round = 0; round < 4; round++) {
    expect(await arrivals({ host: 'drained.example', target: '/gas/wa' })).not.toContain('g2 /GAS2/wa')
  }
})

describe('4b.5 a cookie that names no instance', () => {
  test('4b.5 of an instance that was removed: the starting request is balanced, and its cookie replaced', async () => {
    const reply = await pair.ask({ host: 'plain.example', target: '/gas/wa', cookie: 'instance=g9' })

    expect(cookiePair(reply)).toBe(`instance=${reply.app}`)
  })

  test('4b.5 of an instance that is away: the same', async () => {
    const reply = await pair.ask({ host: 'plain-half.example', target: '/gas/wa', cookie: 'instance=g1' })

    expect([reply.app, cookiePair(reply)]).toEqual(['g2', 'instance=g2'])
  })

  test.each(['', 'g1', '"', 'A'.repeat(44), 'x'.repeat(8000)])('4b.5 forged as %j: the same', async (value) => {
    const reply = await pair.ask({ host: 'cookie.example', target: '/gas/wa', cookie: `instance=${value}; a=1` })

    expect(cookiePair(reply)).toMatch(/^instance=[\w-]{44}$/)
    expect(seenBy(reply).headers.cookie).toBe('a=1')
  })

  test('4b.5 a sealed cookie names its instance on every node, and on no other pool', async () => {
    const first = await pair.ask({ host: 'cookie.example', target: '/gas/wa', node: 0 })
    const cookie = cookiePair(first)!

    const replies = await onBoth({ host: 'cookie.example', target: '/x', cookie })

    expect(replies.map(({ app }) => app)).toEqual([first.app, first.app])
    expect(cookiePair(await pair.ask({ host: 'plain.example', target: '/gas', cookie }))).toMatch(/^instance=g/)
  })
})

test.each(['/GAS1/wa', '/GAS2/wa'])('4b.6 where cookie and prefix disagree the prefix wins: %s', async (target) => {
  const owner = target.startsWith('/GAS1') ? 'g1' : 'g2'
  const other = owner === 'g1' ? 'g2' : 'g1'

  const replies = await onBoth({ host: 'both.example', target, cookie: `instance=${other}` })

  expect(replies.map(({ app }) => app)).toEqual([owner, owner])
  expect(replies.flatMap(({ cookies }) => cookies)).toEqual([])
})

test('4b.6 a cookie decides about what has no prefix, and a starting request gets that instance’s prefix', async () => {
  expect(await arrivals({ host: 'both.example', target: '/gas/wa?x', cookie: 'instance=g2' })).toEqual(
    Array(2).fill('g2 /GAS2/wa?x'),
  )
  expect(await arrivals({ host: 'both.example', target: '/ws/r/s', cookie: 'instance=g2' })).toEqual(
    Array(2).fill('g2 /ws/r/s'),
  )
})

describe('4b.7 what answers say of paths', () => {
  const answer = {
    status: 302,
    headers: { Location: '/GAS1/wa/sua/1', 'Set-Cookie': 'GWS_S_SESSION=7; Path=/GAS1; HttpOnly' },
  }

  test('4b.7 of an instance that knows its prefix passes unchanged', async () => {
    for (const reply of await onBoth({ host: 'path.example', target: '/GAS1/wa', answer })) {
      expect(reply.headers.location).toBe('/GAS1/wa/sua/1')
      expect(reply.cookies).toEqual(['GWS_S_SESSION=7; Path=/GAS1; HttpOnly'])
    }
  })

  test('4b.7 of one that knows only the start path is mapped, and so are requests', async () => {
    const headers = { Location: 'https://mapped.example/gas/wa/sua/1?x=/gas', 'Set-Cookie': 'a=1; Path=/gas; HttpOnly' }
    const started = await pair.ask({ host: 'mapped.example', target: '/gas/wa/r/app', answer: { headers } })
    const prefix = prefixOf[started.app!]!

    expect(seenBy(started).url).toBe('/gas/wa/r/app')
    expect(started.headers.location).toBe(`https://mapped.example${prefix}/wa/sua/1?x=/gas`)
    expect(started.cookies).toEqual([`a=1; Path=${prefix}; HttpOnly`])
    expect(await arrivals({ host: 'mapped.example', target: `${prefix}/wa/sua/1?x` })).toEqual(
      Array(2).fill(`${started.app} /gas/wa/sua/1?x`),
    )
  })
})

describe('4b.8 sessionless requests', () => {
  test('4b.8 with the cookie go to its instance, and get no other', async () => {
    const replies = await onBoth({ host: 'plain.example', target: '/ws/r/service', cookie: 'instance=g10' })

    expect(replies.map(({ app, cookies }) => [app, cookies])).toEqual([
      ['g10', []],
      ['g10', []],
    ])
  })

  test('4b.8 without it are balanced, and get none', async () => {
    const replies = await Promise.all(
      [1, 2, 3].map(() => pair.ask({ host: 'plain.example', target: '/ws/r/service', node: 1 })),
    )

    expect(new Set(replies.map(({ app }) => app)).size).toBe(3)
    expect(replies.flatMap(({ cookies }) => cookies)).toEqual([])
  })

  test('4b.8 unless they start a session', async () => {
    const reply = await pair.ask({ host: 'plain.example', target: '/gas/ws/r/service' })

    expect(reply.cookies).toEqual([`instance=${reply.app}; Path=/; HttpOnly; SameSite=Lax`])
  })
})

describe('4b.9 X-Forwarded-Proto and X-Forwarded-Host', () => {
  test('4b.9 are always sent, the host with its port', async () => {
    for (const reply of await onBoth({ host: 'path.example:8443', target: '/GAS1/wa' })) {
      expect(seenBy(reply).headers).toMatchObject({
        'x-forwarded-host': 'path.example:8443',
        'x-forwarded-proto': 'http',
      })
    }
  })

  test('4b.9 and those that clients send are replaced', async () => {
    const headers = {
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-For': '192.0.2.7',
      Forwarded: 'host=evil.example',
    }
    for (const reply of await onBoth({ host: 'cookie.example', target: '/gas/wa', headers })) {
      const { headers: seen } = seenBy(reply)
      expect(seen).toMatchObject({
        'x-forwarded-host': 'cookie.example',
        'x-forwarded-proto': 'http',
        'x-forwarded-for': '127.0.0.1',
      })
      expect(seen.forwarded).toBeUndefined()
      expect(reply.cookies[0]).not.toContain('Secure')
    }
  })
})

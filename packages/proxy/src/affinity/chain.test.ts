import { describe, expect, test } from 'vitest'

import { backend } from '../balancing/fakes.test-support.ts'
import { persistenceKeyConfig } from '../config/parts.test-support.ts'
import { requestHead, responseHead } from '../wire/heads.test-support.ts'
import { chain } from './chain.ts'
import { Browser, Cluster, sessionCookieConfig } from './cluster.test-support.ts'
import { livingOn, newcomer } from './sessions.test-support.ts'
import { type AffinityStrategy, type Session, wholeSite } from './strategy.ts'

describe('an empty chain', () => {
  test('knows nobody and binds nothing', async () => {
    const cluster = new Cluster()

    const visit = await cluster.node([]).visit('sticky=1; JSESSIONID=A', { sets: ['JSESSIONID=A'] })

    expect(visit).toMatchObject({ taken: false, added: [], sent: 'sticky=1; JSESSIONID=A' })
    expect(visit.session).toMatchObject({ known: false, home: [], key: undefined, persistence: 'NN' })
    expect(cluster.bound).toEqual([])
  })
})

test('a chain of one is that strategy itself', () => {
  const only: AffinityStrategy = { locate: () => livingOn('a') }

  expect(chain([only])).toBe(only)
})

describe('a chain', () => {
  test('believes the first strategy that recognises the request, and asks no further', async () => {
    let asked = false
    const last: AffinityStrategy = {
      locate: () => {
        asked = true
        return livingOn('c')
      },
    }

    const session = await locate(chain([knows(newcomer), knows(livingOn('b')), last]))

    expect(session).toMatchObject({ known: true, home: ['b'], persistence: 'VN' })
    expect(asked).toBe(false)
  })

  test('answers at once when its strategies do, and waits when they do', async () => {
    expect(chain([knows(newcomer), knows(livingOn('b'))]).locate(request, client, wholeSite)).not.toBeInstanceOf(
      Promise,
    )

    const slow: AffinityStrategy = { locate: async () => livingOn('b') }
    expect(await chain([slow, knows(livingOn('c'))]).locate(request, client, wholeSite)).toMatchObject({ home: ['b'] })
  })

  test('hides no bug of one strategy behind what another knows', async () => {
    const broken: AffinityStrategy = { locate: () => Promise.reject(new TypeError('a bug')) }

    await expect(locate(chain([broken, knows(livingOn('b'))]))).rejects.toThrow('a bug')
  })

  test('hands out the session itself where the other strategies have nothing to hide', async () => {
    const session = livingOn('b')

    expect(await locate(chain([knows(newcomer), knows(session)]))).toBe(session)
    expect(await locate(chain([{ ...knows(newcomer), conceal: () => {} }, knows(session)]))).not.toBe(session)
  })

  test('passes on all that a session says, also where others hide something', async () => {
    const heard: string[] = []
    const session: Session = {
      ...livingOn('b'),
      reason: 'so',
      whenAway: 'home-away',
      maxSkew: 1.5,
      awaitsBody: true,
      verdict: { pool: 'other' },
      heard: (_, piece) => void heard.push(String(piece)),
    }
    const hiding: AffinityStrategy = { ...knows(newcomer), conceal: () => {} }

    const passed = await locate(chain([hiding, knows(session)]))
    await passed.heard?.(backend('b'), Buffer.from('body'))

    const { reason, whenAway, maxSkew, awaitsBody, verdict } = session
    expect(passed).toMatchObject({ reason, whenAway, maxSkew, awaitsBody, verdict })
    expect(heard).toEqual(['body'])
  })

  test('ends where a strategy decides about a request that it does not recognise', async () => {
    const verdict = { refuse: { status: 403, text: 'no' } }

    const session = await locate(chain([knows({ ...newcomer, verdict }), knows(livingOn('b'))]))

    expect(session).toMatchObject({ known: false, verdict })
  })

  test('sends a newcomer where one strategy says, for another to begin its session there', async () => {
    const guided = await locate(chain([knows(newcomer), knows({ ...newcomer, home: ['c'], maxSkew: 2 })]))

    expect(guided).toMatchObject({ known: false, home: ['c'], maxSkew: 2 })
  })

  test("waits with a newcomer's response for the strategies that must, and for no other", async () => {
    const slow = knows({ ...newcomer, served: async () => false })
    const taking = knows({ ...newcomer, persistence: 'NI', served: () => true })

    const atOnce = await locate(chain([knows(newcomer), taking, slow]))
    const later = await locate(chain([slow, taking]))

    expect(atOnce.served(backend('a'), responseHead())).toBe(true)
    expect(await later.served(backend('a'), responseHead())).toBe(true)
    expect(later.persistence).toBe('NI')
  })

  test("offers a newcomer's response to each in turn until one takes the session", async () => {
    const offered: string[] = []
    const offering = (name: string, takes: boolean): AffinityStrategy =>
      knows({
        ...newcomer,
        persistence: takes ? 'NP' : 'NN',
        served: () => {
          offered.push(name)
          return takes
        },
      })
    const session = await locate(chain([offering('first', false), offering('second', true), offering('third', true)]))

    const taken = await session.served(backend('a'), responseHead())

    expect(taken).toBe(true)
    expect(offered).toEqual(['first', 'second'])
    expect(session.persistence).toBe('NP')
  })

  test('takes nothing that none of its strategies takes', async () => {
    const session = await locate(chain([knows(newcomer), knows({ ...newcomer, persistence: 'IN' })]))

    expect(await session.served(backend('a'), responseHead())).toBe(false)
    expect(session.persistence).toBe('IN')
  })
})

describe('a chain of persistence-key and session-cookie', () => {
  const configs = [persistenceKeyConfig(), sessionCookieConfig({ begin: 'always' })]

  test('begins by the key where there is one, else by the cookie', async () => {
    const node = new Cluster().node(configs)

    const [keyed, plain] = [await node.visit(undefined, { sets: ['JSESSIONID=A'] }), await node.visit(undefined)]

    expect(keyed).toMatchObject({ taken: true, added: [], session: { persistence: 'NP' } })
    expect(plain).toMatchObject({ taken: true, added: [expect.any(String)], session: { persistence: 'NI' } })
  })

  test('hides our cookie from the backend whoever recognised the request', async () => {
    const node = new Cluster().node(configs)
    const browser = new Browser()
    await browser.visit(node, { by: 'b' })
    await node.visit(undefined, { by: 'c', sets: ['JSESSIONID=A'] })

    const visits = [
      await node.visit(`JSESSIONID=A; ${browser.cookie}`),
      await node.visit(`JSESSIONID=B; ${browser.cookie}`),
      await node.visit('JSESSIONID=B; sticky=forged'),
    ]

    expect(visits.map(({ by, sent }) => [by, sent])).toEqual([
      ['c', 'JSESSIONID=A'],
      ['b', 'JSESSIONID=B'],
      ['a', 'JSESSIONID=B'],
    ])
  })

  test('goes on by the cookie while the store is away', async () => {
    const cluster = new Cluster()
    const node = cluster.node(configs)
    const browser = new Browser()
    await browser.visit(node, { by: 'b' })
    cluster.away = true

    expect((await node.locate(`JSESSIONID=A; ${browser.cookie}`)).home).toEqual(['b'])
  })
})

const request = requestHead()
const client = { address: '', secure: false }

function knows(session: Session): AffinityStrategy {
  return { locate: () => session }
}

async function locate(strategy: AffinityStrategy): Promise<Session> {
  return strategy.locate(request, client, wholeSite)
}

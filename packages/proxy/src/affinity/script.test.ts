import { describe, expect, test } from 'vitest'

import { backend } from '../balancing/fakes.test-support.ts'
import type { ScriptConfig } from '../config/config.ts'
import { type Fields, requestHead, responseHead } from '../wire/heads.test-support.ts'
import { Cluster, type Node, sessionCookieConfig } from './cluster.test-support.ts'
import { ScriptFolder } from './script.test-support.ts'
import { type Session, wholeSite } from './strategy.ts'

const persist = `
export const request = ({ use, persist, cookie, clientAddress }) => {
  use(persist.lookup(cookie.get('sid') || clientAddress))
}
export const response = ({ request, setCookie, persist }) => {
  persist.add(setCookie.get('sid'), { age: '300s' })
  if (setCookie.deletes('sid')) persist.delete(request.cookie.get('sid'))
}`

describe.each([
  ['in the process', false],
  ['in threads of its own', true],
])('a script %s', (_, isolate) => {
  // Threads take their time on a busy machine; how long is measured elsewhere.
  const parts = { isolate, timeLimit: isolate ? 5000 : 50 }

  test('binds the key that an answer sets, and every node follows it', async () => {
    await using here = await open(persist, parts)

    const first = await visit(here.node, {}, { by: 'b', sets: ['sid=A; Path=/'] })
    const second = await locate(here.node, { Cookie: 'sid=A' })

    expect(first.session).toMatchObject({ known: false, persistence: 'NP' })
    expect(second).toMatchObject({ known: true, home: ['b'], persistence: 'VN', key: first.session.key })
    expect(await here.cluster.rows()).toMatchObject([{ backend: 'b', source: 'script:script.ts', age: 300_000 }])
  })

  test('leaves a key where it was bound first', async () => {
    await using here = await open(persist, parts)

    await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })
    await visit(here.node, {}, { by: 'c', sets: ['sid=A'] })

    expect((await locate(here.node, { Cookie: 'sid=A' })).home).toEqual(['b'])
  })

  test('renews a key by its requests, and binds it anew to who answers for its home', async () => {
    await using here = await open(persist, parts)
    await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })

    const stayed = await visit(here.node, { Cookie: 'sid=A' }, { by: 'b' })
    const moved = await visit(here.node, { Cookie: 'sid=A' }, { by: 'c' })

    expect([stayed.session.persistence, moved.session.persistence]).toEqual(['VN', 'DU'])
    expect(here.cluster.touched).toHaveLength(1)
    expect((await locate(here.node, { Cookie: 'sid=A' })).home).toEqual(['c'])
  })

  test('ends a key', async () => {
    await using here = await open(persist, parts)
    await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })

    const logout = await visit(here.node, { Cookie: 'sid=A' }, { by: 'b', sets: ['sid=; Max-Age=0'] })

    expect(logout.session.persistence).toBe('VD')
    expect(await locate(here.node, { Cookie: 'sid=A' })).toMatchObject({ known: false, persistence: 'EN' })
  })

  test('begins an ended key anew where an answer sets it again', async () => {
    await using here = await open(persist, parts)
    await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })
    await visit(here.node, { Cookie: 'sid=A' }, { by: 'b', sets: ['sid=; Max-Age=0'] })

    await visit(here.node, {}, { by: 'c', sets: ['sid=A'] })

    expect((await locate(here.node, { Cookie: 'sid=A' })).home).toEqual(['c'])
  })

  test('keeps what a request hook adds until it is known who serves', async () => {
    await using here = await open(`export const request = ({ persist, path }) => { persist.add(path) }`, parts)

    const { taken } = await visit(here.node, {}, { by: 'c' })

    expect(taken).toBe(true)
    expect(await here.cluster.rows()).toMatchObject([{ backend: 'c' }])
  })

  test.each([
    ['a backend', `use('c')`, { known: true, home: ['c'], persistence: 'VN' }],
    ['another pool', `pool('other')`, { known: true, verdict: { pool: 'other' } }],
    ['refusal', `refuse(451, 'not here')`, { known: true, verdict: { refuse: { status: 451, text: 'not here' } } }],
    ['nothing', `use(undefined)`, { known: false, home: [] }],
    ['the first of several', `use('a'); context.refuse(403)`, { known: true, home: ['a'], verdict: undefined }],
    [
      'what comes after a look-up that found nothing',
      `use(context.persist.lookup('x')); context.use('b')`,
      { home: ['b'] },
    ],
  ])('chooses %s', async (_, decision, expected) => {
    await using here = await open(`export const request = (context) => { context.${decision} }`, parts)

    expect(await locate(here.node)).toMatchObject(expected)
  })

  test.each([
    ['an unknown backend', `context.use('z')`, 'use: pool shop has no backend "z", only a, b, c'],
    ['an unknown pool', `context.pool('z')`, 'pool: there is no pool "z"'],
    ['its own pool', `context.pool('shop')`, 'pool: "shop" is the pool that asks'],
    ['a backend that is no text', `context.use(() => {})`, 'use: the id must be a string'],
    ['a promise of one', `context.use(Promise.resolve(7))`, 'use: the id must be a string'],
    ['a pool that is no text', `context.pool({ id: 'other' })`, 'pool: the id must be a string'],
    ['a refusal that is no text', `context.refuse(403, () => {})`, 'refuse: the text must be a string'],
    ['a status that is no number', `context.refuse('soon')`, 'refuse: NaN is no status from 400 to 599'],
    ['a status that refuses nothing', `context.refuse(200)`, 'refuse: 200 is no status from 400 to 599'],
    ['a field that is ours to write', `context.header.set('Host', 'x')`, 'header: Host is written by the proxy itself'],
    [
      'a field that looks like one',
      `context.header.remove('Content_Length')`,
      'Content_Length is written by the proxy',
    ],
    [
      'a line break in a field',
      `context.header.set('X', 'a\\r\\nb')`,
      'header: the value of X cannot stand in a field',
    ],
    [
      'more keys than the store has time for',
      `for (let count = 0; count <= 100; count++) context.persist.lookup('k' + count)`,
      'persist: an exchange has at most 100 operations',
    ],
    ['a key that is no text', `context.persist.lookup(7)`, 'persist: a key must be a string'],
    ['an age that is none', `context.persist.add('k', { age: 'soon' })`, 'persist.add: age must be a duration'],
    ['a field without a name', `context.header.set({}, 'x')`, 'header: "[object Object]" is no field name'],
    ['nothing as an error', `throw null`, isolate ? 'it threw null' : 'null'],
    ['an error that is no data', `throw () => {}`, isolate ? 'it threw [Function' : '() => {}'],
    ['an error of its own', `throw new Error('oops')`, 'oops'],
    ['a rejection of its own', `return Promise.reject(new Error('oops'))`, 'oops'],
  ])('that brings %s is passed over and counted', async (_, mistake, told) => {
    await using here = await open(`export const request = (context) => { ${mistake} }`, parts)

    const { session, taken } = await visit(here.node)

    expect([session.known, taken]).toEqual([false, false])
    expect(here.folder.scripts.faults()).toEqual([{ pool: 'shop', kind: 'error', count: 1 }])
    expect(here.folder.facts).toMatchObject([
      { event: 'script failed', fields: { pool: 'shop', script: './script.ts', kind: 'error', faults: 1 } },
    ])
    expect(String(here.folder.facts[0]!.fields.err)).toContain(told)
    expect(await here.cluster.rows()).toEqual([])
  })

  test('sees the request', async () => {
    await using here = await open(
      `export const request = ({ method, target, path, host, clientAddress, cookie, header }) => {
        const seen = [method, target, path, host, clientAddress, cookie.get('q'), cookie.exists('x'), header.get('x-a')]
        throw new Error(JSON.stringify(seen))
      }`,
      parts,
    )

    await locate(here.node, { Cookie: 'q="1"; q=2', 'X-A': 'yes' }, 'POST /p?q=1')

    const seen = ['POST', '/p?q=1', '/p', 'example.com', '192.0.2.1', '1', false, 'yes']
    expect(String(here.folder.facts[0]!.fields.err)).toContain(JSON.stringify(seen))
  })

  test('sees the answer, and its mistakes cost the answer nothing', async () => {
    await using here = await open(
      `export const response = ({ request, status, header, setCookie, backend }) => {
        throw new Error([request.path, status, header.get('X-B'), setCookie.get('s'), setCookie.fields.length, backend])
      }`,
      parts,
    )

    const { taken } = await visit(here.node, {}, { by: 'b', sets: ['s="1"; Path=/', 'gone=; Max-Age=0'] })

    expect(taken).toBe(false)
    expect(String(here.folder.facts[0]!.fields.err)).toContain('/,200,yes,1,2,b')
  })

  test('changes fields of the request', async () => {
    await using here = await open(
      `export const request = ({ header }) => { header.set('X-Group', 'blue'); header.remove('x-secret') }`,
      parts,
    )
    const request = { target: '/', cookie: undefined, lines: 'X-Secret: 1\r\nAccept: */*\r\nx-group: red\r\n' }

    const session = await locate(here.node)
    session.dispatched!(backend('a'), request)

    expect(request.lines).toBe('Accept: */*\r\nX-Group: blue\r\n')
  })

  test.each([['""'], ['null'], ['']])('takes %j for no key', async (value) => {
    await using here = await open(persist, parts)

    await visit(here.node, {}, { by: 'b', sets: [`sid=${value}`] })

    expect(await here.cluster.rows()).toEqual([])
  })

  test('finds nothing while the store is away, and is not blamed for it', async () => {
    await using here = await open(persist, parts)
    here.cluster.away = true

    expect((await locate(here.node, { Cookie: 'sid=A' })).home).toEqual([])
    expect(here.folder.scripts.faults()).toEqual([])
  })

  test('has its answers relayed while the store is away', async () => {
    await using here = await open(`export const response = ({ persist }) => { persist.add('k') }`, parts)
    here.cluster.away = true

    expect((await visit(here.node)).taken).toBe(false)
    expect(here.folder.scripts.faults()).toEqual([])
  })

  test('that does not wait for what fails goes on', async () => {
    const text = `let served = 0
      export const request = ({ use }) => { if (served > 2) use('c') }
      export const response = ({ persist }) => { served++; persist.add('k'); persist.delete('l') }`
    await using here = await open(text, parts)
    here.cluster.away = true

    // Of two threads one has served three of these, if both go on.
    for (let count = 0; count < 6; count++) await visit(here.node)

    expect((await Promise.all([locate(here.node), locate(here.node)])).some(({ home }) => home[0] === 'c')).toBe(true)
  })

  test('without a hook for requests begins sessions by its answers', async () => {
    await using here = await open(`export const response = ({ persist }) => { persist.add('k') }`, parts)

    expect((await visit(here.node, {}, { by: 'c' })).taken).toBe(true)
  })

  test('leaves what it does not recognise to the rest of the chain', async () => {
    await using here = await open(persist, parts, (script) => [script, sessionCookieConfig({ begin: 'always' })])

    const { session, taken } = await visit(here.node)

    expect([session.known, taken, session.persistence]).toEqual([false, true, 'NI'])
  })

  test.each([
    ['a hook', `export const request = () => new Promise(() => {})`],
    ['a choice', `export const request = ({ use }) => { use(new Promise(() => {})) }`],
    ['a choice of an ended hook', `export const request = async ({ use }) => { use(new Promise(() => {})) }`],
  ])('is bounded by its limit where %s never settles', async (_, text) => {
    await using here = await open(text, { isolate, timeLimit: 50 })

    expect((await locate(here.node)).known).toBe(false)
    const [count] = here.folder.scripts.faults()
    expect(['timeout', 'busy']).toContain(count!.kind)
  })
})

test('a hook that returns nothing costs no promise, nor does one that follows a key this process knows', async () => {
  await using here = await open(persist, {})
  await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })
  const request = requestHead('GET /', { Cookie: 'sid=A' })

  const session = here.node.strategy.locate(request, { address: '192.0.2.1', secure: false }, wholeSite)

  expect(session).not.toBeInstanceOf(Promise)
  expect((session as Session).served(backend('b'), responseHead())).toBe(true)
})

test('keys of two scripts, and of one script in two pools, do not meet', async () => {
  await using here = await open(persist, {})
  await using there = await open(persist, { script: './elsewhere.ts' })
  const node = here.cluster.node(there.config, { scripts: there.folder.hosts })
  await there.folder.scripts.open()

  await visit(here.node, {}, { by: 'b', sets: ['sid=A'] })

  expect((await locate(node, { Cookie: 'sid=A' })).known).toBe(false)
})

test('rows hold fingerprints, never keys', async () => {
  await using here = await open(persist, {})

  await visit(here.node, {}, { by: 'b', sets: ['sid=secret-value'] })

  const [row] = await here.cluster.rows()
  expect(row!.key.id).toMatch(/^[\w-]{22}$/)
  expect(JSON.stringify(row)).not.toContain('secret-value')
})

test('where no scripts are run, a script recognises nobody', async () => {
  await using folder = new ScriptFolder()
  const node = new Cluster().node(folder.script(persist))

  expect(await locate(node, { Cookie: 'sid=A' })).toMatchObject({ known: false, reason: 'script: it did not run' })
})

async function open(
  text: string,
  parts: Partial<ScriptConfig>,
  chain: (script: ScriptConfig) => Parameters<Cluster['node']>[0] = (script) => script,
) {
  const folder = new ScriptFolder()
  const cluster = new Cluster()
  const config = folder.script(text, parts)
  const node = cluster.node(chain(config), { scripts: folder.hosts })
  await folder.scripts.open()
  return { folder, cluster, config, node, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

async function locate({ strategy }: Node, fields: Fields = {}, line = 'GET /'): Promise<Session> {
  return strategy.locate(requestHead(line, fields), { address: '192.0.2.1', secure: false }, wholeSite)
}

async function visit(node: Node, fields: Fields = {}, { by = 'a', sets = [] }: { by?: string; sets?: string[] } = {}) {
  const session = await locate(node, fields)
  const taken = await session.served(backend(by), responseHead({ 'Set-Cookie': sets, 'X-B': 'yes' }))
  return { session, taken }
}

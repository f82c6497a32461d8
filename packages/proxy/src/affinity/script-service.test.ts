import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'

import type { PoolConfig, ScriptConfig } from '../config/config.ts'
import { backendConfig, poolConfig } from '../config/parts.test-support.ts'
import { requestHead } from '../wire/heads.test-support.ts'
import { Cluster, type Node } from './cluster.test-support.ts'
import { ScriptFolder } from './script.test-support.ts'
import { type Session, wholeSite } from './strategy.ts'

const sendingTo = (backend: string): string => `export const request = (context) => { context.use('${backend}') }`
const modes = [
  ['in the process', false],
  ['in threads of its own', true],
] as const

test.each(
  modes.flatMap(([mode, isolate]) => [
    [mode, isolate, 'no hooks', `export const nothing = 1`, 'it exports neither request nor response'],
    [mode, isolate, 'a hook that is none', `export const request = 1`, 'what it exports as request is no function'],
    [mode, isolate, 'an error as it begins', `throw new Error('oops')`, 'oops'],
    [mode, isolate, 'nothing as its error', `throw null`, 'null'],
    [mode, isolate, 'no sense', `export const request = (`, 'cannot be used: '],
  ]),
)('%s (isolate: %s) a script with %s keeps a worker from starting', async (_, isolate, __, text, told) => {
  await using folder = new ScriptFolder()
  const config = folder.script(text as string, { isolate: isolate as boolean })
  new Cluster().node(config, { scripts: folder.hosts })

  await expect(folder.scripts.open()).rejects.toThrow(told as string)
  await expect(folder.scripts.open()).rejects.toThrow(`script ${config.file} of pool shop cannot be used`)
})

test.each(modes)('%s a script that never ends loading keeps a worker from starting', async (_, isolate) => {
  await using folder = new ScriptFolder()
  new Cluster().node(folder.script(`await new Promise(() => {})`, { isolate }), { scripts: folder.hosts })
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())

  const opening = folder.scripts.open()
  let isOver = false
  opening
    .catch(() => {})
    .finally(() => {
      isOver = true
    })
  // Others have timers too: which of them is the limit cannot be seen.
  while (!isOver) {
    await setImmediate()
    vi.advanceTimersByTime(10_000)
  }

  await expect(opening).rejects.toThrow('cannot be used: took longer than its limit of 10000 ms')
})

test.each(modes)('%s a new version takes over, and a broken one does not', async (_, isolate) => {
  await using folder = new ScriptFolder()
  const node = new Cluster().node(folder.script(sendingTo('a'), { isolate, timeLimit: 5000 }), {
    scripts: folder.hosts,
  })
  await folder.scripts.open()

  folder.write(sendingTo('b'))
  await folder.told('script replaced')
  const replaced = await locate(node)
  folder.write(`export const request = (`)
  await folder.told('script failed')
  const kept = await locate(node)
  folder.write(sendingTo('c'))
  await folder.told('script replaced', 2)
  const mended = await locate(node)

  expect([replaced.home, kept.home, mended.home]).toEqual([['b'], ['b'], ['c']])
  expect(folder.scripts.faults()).toEqual([{ pool: 'shop', kind: 'load', count: 1 }])
})

test('what a version has begun ends, when a new one takes over', async () => {
  await using folder = new ScriptFolder()
  const slow = `export const request = (context) => new Promise((done) => setTimeout(done, 400)).then(() => context.use('a'))`
  const node = new Cluster().node(folder.script(slow, { isolate: true, timeLimit: 5000 }), { scripts: folder.hosts })
  await folder.scripts.open()

  const begun = locate(node)
  folder.write(sendingTo('b'))
  await folder.told('script replaced')

  expect((await locate(node)).home).toEqual(['b'])
  expect((await begun).home).toEqual(['a'])
})

test('the threads of versions that were replaced end', async () => {
  await using folder = new ScriptFolder()
  const name = randomUUID()
  using stack = new DisposableStack()
  const channel = stack.adopt(new BroadcastChannel(name), (opened) => opened.close())
  const heard: string[] = []
  channel.onmessage = ({ data }) => heard.push(data)
  const alive = (version: string): string => `
    const channel = new BroadcastChannel('${name}')
    setInterval(() => channel.postMessage('${version}'), 5)
    ${sendingTo(version)}`
  new Cluster().node(folder.script(alive('a'), { isolate: true }), { scripts: folder.hosts })
  await folder.scripts.open()

  for (const [index, version] of ['b', 'a', 'c'].entries()) {
    folder.write(alive(version))
    await folder.told('script replaced', index + 1)
  }

  // Of any that lived, one of so many messages would be.
  await folder.eventually(
    () => heard.length - heard.findLastIndex((version) => version !== 'c'),
    (ofTheNewest) => ofTheNewest > 40,
  )
})

test('a hook that loops costs its exchange the limit and its thread, and others nothing', async () => {
  await using folder = new ScriptFolder()
  const loops = `export const request = (context) => { while (context.path === '/loop'); context.use('b') }`
  const node = new Cluster().node(folder.script(loops, { isolate: true, timeLimit: 500 }), { scripts: folder.hosts })
  await folder.scripts.open()
  await locate(node)

  const ended: string[] = []
  const looping = locate(node, '/loop').finally(() => ended.push('looped'))
  const others = await Promise.all([locate(node), locate(node), locate(node)])
  ended.push('others')
  const looped = await looping

  expect(others.map(({ home }) => home)).toEqual([['b'], ['b'], ['b']])
  expect(ended).toEqual(['others', 'looped'])
  expect(looped.known).toBe(false)
  expect(folder.scripts.faults()).toEqual([{ pool: 'shop', kind: 'timeout', count: 1 }])
})

test('one that keeps looping is switched off, and asked again after 30 s', async () => {
  await using folder = new ScriptFolder()
  const loops = `export const request = (context) => { while (context.path === '/loop'); context.use('b') }`
  const node = new Cluster().node(folder.script(loops, { isolate: true, timeLimit: 50 }), { scripts: folder.hosts })
  await folder.scripts.open()

  // Where no thread is ready yet in a lost one's place, a hook does not begin, and is not late.
  await folder.eventually(
    () => locate(node, '/loop'),
    () => folder.events.includes('script switched off'),
  )
  const off = await locate(node)
  folder.now += 30_000
  const on = await folder.eventually(
    () => locate(node),
    ({ known }) => known,
  )

  expect([off.known, on.home]).toEqual([false, ['b']])
  expect(folder.scripts.faults()).toContainEqual({ pool: 'shop', kind: 'timeout', count: 3 })
  expect(folder.events).toEqual(expect.arrayContaining(['script switched on']))
})

test('a thread that its script ends is replaced', async () => {
  await using folder = new ScriptFolder()
  const ends = `export const request = (context) => { if (context.path === '/end') process.exit(); context.use('b') }`
  const node = new Cluster().node(folder.script(ends, { isolate: true, timeLimit: 5000 }), { scripts: folder.hosts })
  await folder.scripts.open()

  const ended = await Promise.all([locate(node, '/end'), locate(node, '/end')])

  expect(ended.map(({ known }) => known)).toEqual([false, false])
  expect((await locate(node)).home).toEqual(['b'])
})

test('so is one whose script fills its memory', async () => {
  await using folder = new ScriptFolder()
  const grows = `const kept = []
    export const request = (context) => {
      while (context.path === '/grow') kept.push(new Array(100).fill(Math.random()))
      context.use('b')
    }`
  const node = new Cluster().node(folder.script(grows, { isolate: true, timeLimit: 30_000 }), { scripts: folder.hosts })
  await folder.scripts.open()

  const grown = await locate(node, '/grow')

  expect(grown.known).toBe(false)
  expect(folder.facts).toMatchObject([{ event: 'script failed', fields: { kind: 'error' } }])
  expect(String(folder.facts[0]!.fields.err)).toContain('out of memory')
  expect((await locate(node)).home).toEqual(['b'])
})

async function locate({ strategy }: Node, path = '/'): Promise<Session> {
  return strategy.locate(requestHead(`GET ${path}`), { address: '192.0.2.1', secure: false }, wholeSite)
}

test('a script that a topology asks for as it is goes on with what it remembers; another one begins', async () => {
  await using folder = new ScriptFolder()
  const cluster = new Cluster()
  const config = folder.script(`let asked = 0\nexport const request = (context) => context.use('abc'[asked++])`)
  const first = cluster.node(config, { scripts: folder.hosts })
  await folder.scripts.open()
  folder.scripts.adopt([poolWith(config)])
  const before = await locate(first)

  const again = cluster.node(config, { scripts: folder.hosts })
  const other = cluster.node({ ...config, timeLimit: config.timeLimit + 1 }, { scripts: folder.hosts })
  await folder.scripts.open()
  const [kept, anew] = [await locate(again), await locate(other)]

  expect([before.home, kept.home, anew.home]).toEqual([['a'], ['b'], ['a']])
})

test('one that is taken out still serves what began with it, and its faults stay counted', async () => {
  await using folder = new ScriptFolder()
  const config = folder.script(`export const request = () => { throw new Error('oops') }`)
  const node = new Cluster().node(config, { scripts: folder.hosts })
  await folder.scripts.open()
  folder.scripts.adopt([poolWith(config)])
  await locate(node)

  folder.scripts.adopt([])
  await locate(node)

  expect(folder.scripts.faults()).toEqual([{ pool: 'shop', kind: 'error', count: 2 }])
})

test('one that cannot be loaded for the next topology leaves those in use as they are', async () => {
  await using folder = new ScriptFolder()
  const cluster = new Cluster()
  const config = folder.script(sendingTo('a'))
  const node = cluster.node(config, { scripts: folder.hosts })
  await folder.scripts.open()
  folder.scripts.adopt([poolWith(config)])

  cluster.node({ ...config, file: '/nowhere.ts' }, { scripts: folder.hosts })
  await expect(folder.scripts.open()).rejects.toThrow('script /nowhere.ts of pool shop cannot be used')
  await folder.scripts.abandon()
  await folder.scripts.open()

  expect((await locate(node)).home).toEqual(['a'])
})

test('one that is taken out and soon asked for again goes on with what it remembers, be the topology between given up or not', async () => {
  await using folder = new ScriptFolder()
  const cluster = new Cluster()
  const config = folder.script(`let asked = 0\nexport const request = (context) => context.use('abc'[asked++])`)
  const ask = () => cluster.node(config, { scripts: folder.hosts })
  const homes = [await locate(await adopted(folder, ask(), [poolWith(config)]))]

  folder.scripts.adopt([])
  ask()
  await folder.scripts.abandon()
  homes.push(await locate(await adopted(folder, ask(), [poolWith(config)])))
  folder.scripts.adopt([])
  homes.push(await locate(await adopted(folder, ask(), [poolWith(config)])))

  expect(homes.map(({ home }) => home)).toEqual([['a'], ['b'], ['c']])
})

test('the threads of one that was still being loaded when the topology was given up end', async () => {
  await using folder = new ScriptFolder()
  const name = randomUUID()
  using stack = new DisposableStack()
  const channel = stack.adopt(new BroadcastChannel(name), (opened) => opened.close())
  const heard: number[] = []
  channel.onmessage = () => heard.push(performance.now())
  const beats = `
    const channel = new BroadcastChannel('${name}')
    setInterval(() => channel.postMessage('alive'), 5)
    ${sendingTo('a')}`
  const cluster = new Cluster()
  cluster.node(folder.script(beats, { isolate: true }), { scripts: folder.hosts })
  cluster.node({ ...folder.script(beats), file: '/nowhere.ts' }, { scripts: folder.hosts })

  await expect(folder.scripts.open()).rejects.toThrow('/nowhere.ts')
  await folder.scripts.abandon()

  // It may have ended before it said a word.
  const ended = performance.now()
  await folder.eventually(
    () => performance.now() - (heard.at(-1) ?? ended),
    (silence) => silence > 200,
  )
})

/** The node, once its topology of these pools serves. */
async function adopted(folder: ScriptFolder, node: Node, pools: readonly PoolConfig[]): Promise<Node> {
  await folder.scripts.open()
  folder.scripts.adopt(pools)
  return node
}

function poolWith(script: ScriptConfig): PoolConfig {
  return poolConfig('shop', [backendConfig('a'), backendConfig('b'), backendConfig('c')], { affinity: [script] })
}

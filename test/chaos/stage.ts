import { setTimeout as delay } from 'node:timers/promises'

import type { SessionCount } from '@sticky/proxy/admin-api'
import { Redis } from 'ioredis'

import { FaultProxy } from '../support/fault-proxy.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { ProxyNode, type Surroundings } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'
import { Application } from './application.ts'
import { Client, type Target } from './client.ts'
import type { Count } from './counting-app.ts'
import { Load } from './load.ts'
import { sites } from './sites.ts'

/** What differs from two nodes with a worker each, three applications and a Redis. */
export interface StageOptions {
  readonly nodes?: number
  readonly workers?: number
  /** Keys of the pool of sealed cookies, of both pools, and of the whole configuration. */
  readonly pool?: object
  readonly pools?: object
  readonly config?: object
  /** Keys of `store`; a `url` there takes the place of the stage's own Redis. */
  readonly store?: object
  /** Every node reaches Redis through a fault proxy of its own. */
  readonly through?: 'fault-proxies'
  /** Where applications listen, and where nodes are reached by their places; loopback by default. */
  readonly host?: string
  readonly hosts?: readonly string[]
  /** What each node is started with, by its place. */
  readonly surroundings?: readonly Surroundings[]
  /** Keys of backends by their ids, such as another `url`. */
  readonly backends?: (applications: readonly Application[]) => Readonly<Record<string, object>>
}

/** The pool of sealed cookies, which is everybody's who names no other site. */
export const POOL = 'shop'
/** Milliseconds that a node may take to end. */
export const SHUTDOWN = 5_000
/** Short, so that renewals are due all the time. */
const AGE = '30s'
const LOOPBACK = '127.0.0.1'
const secret = 'known to every node of the stage'

/** Applications, a Redis and nodes, all of them processes, for one row. */
export class Stage implements AsyncDisposable {
  readonly applications: readonly Application[]
  readonly redis: LocalRedis
  /** The way of each node to Redis, where they have one. */
  readonly ways: readonly FaultProxy[]
  readonly options: StageOptions
  nodes: ProxyNode[] = []
  readonly #hosts = new Map<ProxyNode, string>()
  readonly #stack: AsyncDisposableStack

  private constructor(stack: AsyncDisposableStack, options: StageOptions, parts: Parts) {
    this.#stack = stack
    this.options = options
    this.applications = parts.applications
    this.redis = parts.redis
    this.ways = parts.ways
  }

  /** Everything but the nodes. */
  static async build(options: StageOptions = {}): Promise<Stage> {
    await using stack = new AsyncDisposableStack()
    const redis = stack.use(await startRedis())
    const applications = await Promise.all(['a', 'b', 'c'].map((id) => Application.start(id, options.host)))
    for (const application of applications) stack.use(application)
    const count = options.through === undefined ? 0 : (options.nodes ?? 2)
    const ways = await Promise.all(Array.from({ length: count }, () => FaultProxy.to({ port: redis.port })))
    for (const way of ways) stack.use(way)
    return new Stage(stack.move(), options, { applications, redis, ways })
  }

  /** Everything, nodes serving. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const stage = await Stage.build(options)
    try {
      await stage.startNodes()
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  async startNodes(): Promise<void> {
    const places = Array.from({ length: this.options.nodes ?? 2 }, (_, place) => place)
    this.nodes = await Promise.all(places.map((place) => this.startNode(place)))
  }

  /** One more node in that place, counted from 0; the stage ends it. */
  async startNode(place: number, configuration: object = this.configuration(place)): Promise<ProxyNode> {
    const surroundings = this.options.surroundings?.[place]
    const node = this.#stack.use(await ProxyNode.start(configuration, ['--node-id', `n${place + 1}`], surroundings))
    this.#hosts.set(node, this.options.hosts?.[place] ?? LOOPBACK)
    return node
  }

  /** What the node in that place runs. */
  configuration(place: number): Configuration {
    const { workers = 1, pool, pools, config, store } = this.options
    const url = this.ways[place] ? `redis://127.0.0.1:${this.ways[place].port}` : this.redis.url
    return {
      node: { workers },
      secrets: [secret],
      shutdownTimeout: `${SHUTDOWN}ms`,
      drain: { grace: '4s' },
      // As users have it; the tests' own nodes are more patient.
      store: { url, budget: '50ms', commandTimeout: '1s', ...store },
      pools: {
        [POOL]: {
          backends: this.backends(),
          affinity: [{ strategy: 'session-cookie', name: 'sticky', begin: 'on-cookie', age: AGE }],
          ...pools,
          ...pool,
        },
        learned: {
          backends: this.backends(),
          affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'app' }], age: AGE, backup: 'cookie' }],
          ...pools,
        },
      },
      routes: [{ host: sites.learned, pool: 'learned' }, { pool: POOL }],
      ...config,
    }
  }

  backends(): object[] {
    const extra = this.options.backends?.(this.applications) ?? {}
    return this.applications.map(({ id, url }) => ({ id, url, ...extra[id] }))
  }

  /** Where clients ask: every node that was started and not yet taken from the list. */
  targets(): readonly Target[] {
    return this.nodes.map((node) => this.targetOf(node))
  }

  targetOf(node: ProxyNode): Target {
    return { host: this.#hosts.get(node) ?? LOOPBACK, port: node.port }
  }

  load(): Load {
    return new Load(() => this.targets())
  }

  application(id: string): Application {
    return this.applications.find((application) => application.id === id)!
  }

  /** Bytes Redis uses. */
  async redisMemory(): Promise<number> {
    const redis = new Redis(this.redis.url)
    try {
      return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
    } finally {
      redis.disconnect()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

interface Configuration {
  readonly node: object
  readonly secrets: readonly string[]
  readonly shutdownTimeout: string
  readonly drain: object
  readonly store: object
  readonly pools: Readonly<Record<string, object>>
  readonly routes: readonly object[]
}

interface Parts {
  readonly applications: readonly Application[]
  readonly redis: LocalRedis
  readonly ways: readonly FaultProxy[]
}

/** What `/readyz` answers: its status, and its words. */
export async function readiness(node: ProxyNode): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL('/readyz', node.admin))
  return { status: response.status, text: (await response.text()).trim() }
}

/** The sum of a metric's samples; 0 where there are none. */
export async function metric(node: ProxyNode, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', node.admin))).text()
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))
  return Array.from(samples, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0)
}

/** Sessions in the whole cluster. */
export async function sessions(node: ProxyNode): Promise<number> {
  return (await node.ask<SessionCount>('/v1/sessions:count')).total
}

/** The cookies of a new session on that node, which lives on that backend if one is named. */
export async function sessionOn({ host, port }: Target, backend?: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(`http://${host}:${port}/count`)
    const { app } = (await response.json()) as Count
    const cookies = response.headers.getSetCookie().map((field) => field.split(';', 1)[0])
    if (backend === undefined || app === backend) return cookies.join('; ')
  }
  throw new Error(`no newcomer of 100 came to ${backend}`)
}

/** Newcomers, spread over that time and all nodes; how many each backend got, for those that got any. */
export async function newcomersByBackend(
  stage: Stage,
  count: number,
  within = 500,
): Promise<Readonly<Record<string, number>>> {
  const shares: Record<string, number> = {}
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await delay((n * within) / count)
      const newcomer = new Client(sites.sealed, n)
      const { app, fault } = await newcomer.visit(stage.targets())
      newcomer.close()
      if (app === undefined) throw new Error(`a newcomer was not served: ${fault}`)
      shares[app] = (shares[app] ?? 0) + 1
    }),
  )
  return shares
}

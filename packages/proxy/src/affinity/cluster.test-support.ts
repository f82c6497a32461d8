import {
  type Binding,
  type CookieTable,
  MemoryStore,
  type SessionKey,
  type SessionRow,
  type SessionTable,
  type Store,
  StoreUnavailable,
} from '@sticky/store'

import { backend } from '../balancing/fakes.test-support.ts'
import type { AffinityConfig, SessionCookieConfig } from '../config/config.ts'
import { backendConfig } from '../config/parts.test-support.ts'
import { requestHead, responseHead, sentCookies } from '../wire/heads.test-support.ts'
import { Fingerprints } from './fingerprint.ts'
import { Keyring, keyId } from './keyring.ts'
import { createStrategy } from './registry.ts'
import type { ScriptHosts } from './script-service.ts'
import type { SessionRefusal } from './session-quota.ts'
import { parseSetCookie } from './set-cookie.ts'
import { type AffinityStrategy, type Session, wholeSite } from './strategy.ts'

/** Nodes of one cluster over one store in memory, whose clock is ours and which may be away. */
export class Cluster {
  now = 1_700_000_000_000
  away = false
  /** Sessions the store was told of, by what was said. */
  readonly touched: SessionKey[] = []
  readonly bound: SessionKey[] = []
  /** Sessions that the store itself was asked for. */
  readonly shown: SessionKey[] = []
  /** Why sessions did not begin. */
  readonly refused: SessionRefusal[] = []
  memory: MemoryStore = this.#newMemory()

  /** The store forgets everything, as after FLUSHALL. */
  forget(): void {
    this.memory = this.#newMemory()
  }

  /** Every live session. */
  async rows(): Promise<SessionRow[]> {
    const rows: SessionRow[] = []
    for await (const row of this.memory.sessions.list('shop')) rows.push(row)
    return rows
  }

  node(affinity: AffinityConfig | readonly AffinityConfig[], parts: NodeParts = {}): Node {
    const { pool = 'shop', backends = ['a', 'b', 'c'], secrets = ['secret'], opens = secrets, scripts } = parts
    const keyring = new Keyring({ secrets, openedByAll: opens.map(keyId) })
    const services = {
      pool,
      backends: new Set(backends),
      members: backends.map((id) => backendConfig(id)),
      store: this.#store(),
      keyring,
      fingerprints: new Fingerprints('fingerprint'),
      scripts,
      sessionRefused: (reason: SessionRefusal) => this.refused.push(reason),
    }
    return new Node(createStrategy([affinity].flat(), services), keyring)
  }

  #newMemory(): MemoryStore {
    return new MemoryStore({ now: () => this.now })
  }

  #store(): Pick<Store, 'sessions' | 'cookies' | 'now'> {
    return { sessions: this.#sessions(), cookies: this.#cookies(), now: () => this.now }
  }

  #sessions(): SessionTable {
    const asked = async <Answer>(answer: () => Promise<Answer> | Answer): Promise<Answer> => {
      if (this.away) throw new StoreUnavailable('away')
      return answer()
    }
    const table = (): SessionTable => this.memory.sessions
    return {
      find: (key, atLeast) => (this.away ? asked(() => table().find(key)) : table().find(key, atLeast)),
      bind: (key, backend, seen, terms) => {
        this.bound.push(key)
        return asked(() => table().bind(key, backend, seen, terms))
      },
      touch: (key: SessionKey, binding: Binding) => {
        this.touched.push(key)
        if (!this.away) table().touch(key, binding)
      },
      end: (key) => asked(() => table().end(key)),
      move: (...move) => asked(() => table().move(...move)),
      show: (key) => {
        this.shown.push(key)
        return asked(() => table().show(key))
      },
      list: (pool, filter) => table().list(pool, filter),
      count: (pool) => asked(() => table().count(pool)),
    }
  }

  #cookies(): CookieTable {
    return {
      record: (key, cookies) => {
        if (!this.away) this.memory.cookies.record(key, cookies)
      },
      of: (key) => this.memory.cookies.of(key),
    }
  }
}

interface NodeParts {
  readonly pool?: string
  readonly backends?: readonly string[]
  readonly secrets?: readonly string[]
  /** The secrets that every node announced it opens; all by default. */
  readonly opens?: readonly string[]
  readonly scripts?: ScriptHosts
}

/** An exchange as its two sides saw it. */
export interface Visit {
  readonly session: Session
  /** The backend that answered. */
  readonly by: string
  /** The Cookie field the backend got. */
  readonly sent: string | undefined
  /** The Set-Cookie fields we added. */
  readonly added: readonly string[]
  /** Did a strategy take the session? */
  readonly taken: boolean
  readonly keepPrivate: boolean
}

export interface Exchange {
  /** Set-Cookie fields of the application. */
  readonly sets?: readonly string[]
  /** Who answers; the home by default, `a` for a session without one. */
  readonly by?: string
  readonly secure?: boolean
  /** Something that happens while the backend works. */
  readonly meanwhile?: () => unknown
}

/** One node's pool `shop`. */
export class Node {
  readonly strategy: AffinityStrategy
  readonly keyring: Keyring

  constructor(strategy: AffinityStrategy, keyring: Keyring) {
    this.strategy = strategy
    this.keyring = keyring
  }

  locate(cookie: string | undefined, secure = false, address = '192.0.2.1'): Promise<Session> {
    return Promise.resolve(
      this.strategy.locate(requestHead('GET /', { Cookie: cookie }), { address, secure }, wholeSite),
    )
  }

  async visit(cookie: string | undefined, exchange: Exchange = {}): Promise<Visit> {
    const session = await this.locate(cookie, exchange.secure)
    const by = exchange.by ?? session.home[0] ?? 'a'
    const outgoing = { target: '/', cookie, lines: '' }
    session.dispatched?.(backend(by), outgoing)
    await exchange.meanwhile?.()
    const sets = exchange.sets ?? []
    const head = responseHead({ 'Set-Cookie': sets })
    const taken = await session.served(backend(by), head)
    const added = sentCookies(head).slice(sets.length)
    const keepPrivate = /^cache-control: private/im.test(head.lines())
    return { session, by, sent: outgoing.cookie, added, taken, keepPrivate }
  }
}

/** A browser that keeps what it is told to. */
export class Browser {
  readonly jar: Map<string, string> = new Map()

  get cookie(): string | undefined {
    return this.jar.size === 0 ? undefined : [...this.jar].map((pair) => pair.join('=')).join('; ')
  }

  async visit(node: Node, exchange: Exchange = {}): Promise<Visit> {
    const visit = await node.visit(this.cookie, exchange)
    for (const field of [...(exchange.sets ?? []), ...visit.added]) this.#keep(field)
    return visit
  }

  #keep(field: string): void {
    const { name, value, lifetime = 1 } = parseSetCookie(field, 1_700_000_000_000)!
    if (lifetime > 0) this.jar.set(name, value)
    else this.jar.delete(name)
  }
}

export function sessionCookieConfig(parts: Partial<SessionCookieConfig> = {}): SessionCookieConfig {
  return {
    strategy: 'session-cookie',
    name: 'sticky',
    begin: 'on-cookie',
    age: 60_000,
    cookieAge: 60_000,
    lifetime: undefined,
    ends: 'age',
    recoverBy: [],
    newPerClient: undefined,
    maxSessions: 1_000_000,
    path: '/',
    domain: undefined,
    secure: 'auto',
    httpOnly: true,
    sameSite: 'Lax',
    partitioned: false,
    prefix: 'auto',
    cachePrivate: true,
    ...parts,
  }
}

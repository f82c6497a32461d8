import { Redis } from 'ioredis'

import { LoadPool } from '../../packages/store/src/load-pool.ts'
import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import { RedisKeys } from '../../packages/store/src/redis-keys.ts'
import type { Script } from '../../packages/store/src/redis-scripts.ts'
import { type Candidate, StoreUnavailable } from '../../packages/store/src/store.ts'

/** A script call on its way: sent, then executed, then answered; or lost in between. */
export interface Command {
  readonly worker: SimulatedWorker
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly string[]
  readonly resolve: (reply: unknown) => void
  readonly reject: (failure: Error) => void
  reply?: unknown
}

/** What Redis holds of the pool: the load hash, and the ledgers there are by their worker's name. */
export interface Snapshot {
  readonly load: Readonly<Record<string, string>>
  readonly ledgers: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Rewrites a script before it is run, to plant a fault. */
export type Variant = (name: string, lua: string) => string

const pool = 'p'
const lease = 1000
const timeout = 150

/** One worker: the real code, with timers and a connection that the test moves by hand. */
export class SimulatedWorker {
  readonly name: string
  readonly load: LoadPool
  /** Backends of the exchanges it has in flight: the truth. */
  readonly held: string[] = []
  /** Sent, not executed. */
  readonly sent: Command[] = []
  /** Executed, not answered. */
  readonly executed: Command[] = []
  connected = true
  granted = 0
  refused = 0
  #timers: { due: number; callback: () => void }[] = []
  readonly #clock: () => number

  constructor(name: string, keys: RedisKeys, clock: () => number) {
    this.name = name
    this.#clock = clock
    this.load = new LoadPool(pool, {
      keys,
      lease,
      timeout,
      worker: name,
      run: (script, keysOf, args) => this.#run(script, keysOf, args.map(String)),
      after: (delay, callback) => {
        const timer = { due: clock() + delay, callback }
        this.#timers.push(timer)
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer)
        }
      },
    })
  }

  reserve(candidates: readonly Candidate[]): void {
    this.load.reserve(candidates).then(
      (backend) => {
        this.granted += 1
        if (backend !== undefined) this.held.push(backend)
      },
      (failure) => {
        if (!(failure instanceof StoreUnavailable)) throw failure
        this.refused += 1
      },
    )
  }

  begin(backend: string): void {
    this.held.push(backend)
    this.load.begin(backend)
  }

  end(at: number): void {
    const [backend] = this.held.splice(at % this.held.length, 1)
    if (backend !== undefined) this.load.end(backend)
  }

  /** Fires what is due, and what that makes due at once. */
  fireTimers(): void {
    for (;;) {
      const at = this.#timers.findIndex(({ due }) => due <= this.#clock())
      if (at < 0) return
      this.#timers.splice(at, 1)[0]!.callback()
    }
  }

  answer(): void {
    const command = this.executed.shift()
    command?.resolve(command.reply)
  }

  /** The connection breaks; what was sent and not executed may still be, later. */
  lose(): readonly Command[] {
    this.connected = false
    const unexecuted = this.sent.splice(0)
    for (const command of [...this.executed.splice(0), ...unexecuted]) command.reject(new StoreUnavailable('lost'))
    this.load.lose(new Error('lost'))
    return unexecuted
  }

  reconnect(): void {
    if (this.connected) return
    this.connected = true
    this.load.reopen()
  }

  #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.connected) return Promise.reject(new StoreUnavailable('not connected'))
    return new Promise((resolve, reject) => {
      this.sent.push({ worker: this, script, keys, args, resolve, reject })
    })
  }
}

const snapshotScript = `
  local hashes = {}
  for at, key in ipairs(KEYS) do hashes[at] = redis.call('HGETALL', key) end
  return hashes`

/** Runs the real scripts in a real Redis, one at a time, by a clock of the test's own. */
export class SimulatedRedis implements AsyncDisposable {
  readonly keys: RedisKeys
  readonly workers: SimulatedWorker[] = []
  readonly #redis: Redis
  readonly #clockKey: string
  readonly #variant: Variant
  readonly #texts = new Map<string, string>()
  now = 1_700_000_000_000
  /** What Redis' own clock is ahead; timers of workers do not follow it. */
  skew = 0
  #executions = 0

  constructor(url: string, prefix: string, variant: Variant = (_name, lua) => lua) {
    this.#redis = new Redis(url)
    this.keys = new RedisKeys(prefix)
    this.#clockKey = `${prefix}:clock`
    this.#variant = variant
  }

  /** Redis' clock. */
  get time(): number {
    return this.now + this.skew
  }

  addWorker(): SimulatedWorker {
    const worker = new SimulatedWorker(`w${this.workers.length}`, this.keys, () => this.now)
    this.workers.push(worker)
    return worker
  }

  /** Executes the command and answers what Redis holds afterwards. */
  async execute(command: Command): Promise<Snapshot> {
    const lua = this.#text(command.script)
    const microseconds = (this.time % 1000) * 1000 + (this.#executions++ % 1000)
    const results = await this.#redis
      .pipeline()
      .set(this.#clockKey, JSON.stringify([`${Math.floor(this.time / 1000)}`, `${microseconds}`]))
      .eval(lua, command.keys.length, ...command.keys, ...command.args)
      .eval(snapshotScript, this.#ourKeys.length, ...this.#ourKeys)
      .exec()
    const [, [failure, reply], [, hashes]] = results as [unknown, [Error | null, unknown], [null, string[][]]]
    if (failure) throw failure
    command.reply = reply
    return this.#snapshot(hashes)
  }

  /** A reap that arrives long after its worker was named. */
  reapOf(named: SimulatedWorker, by: SimulatedWorker): Command {
    const keys = [this.loadKey, this.ledgerKey(named)]
    return { worker: by, script: loadScripts.reap, keys, args: [named.name], resolve: () => {}, reject: () => {} }
  }

  async remove(...keys: string[]): Promise<Snapshot> {
    await this.#redis.del(...keys)
    return this.snapshot()
  }

  async flush(): Promise<Snapshot> {
    return this.remove(...this.#ourKeys)
  }

  async snapshot(): Promise<Snapshot> {
    return this.#snapshot(
      (await this.#redis.eval(snapshotScript, this.#ourKeys.length, ...this.#ourKeys)) as string[][],
    )
  }

  get loadKey(): string {
    return this.keys.load(pool)
  }

  ledgerKey(worker: SimulatedWorker): string {
    return this.keys.ledger(pool, worker.name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis.del(...this.#ourKeys, this.#clockKey)
    this.#redis.disconnect()
  }

  get #ourKeys(): string[] {
    return [this.loadKey, ...this.workers.map((worker) => this.ledgerKey(worker))]
  }

  #snapshot(hashes: readonly string[][]): Snapshot {
    const [load, ...ledgers] = hashes.map(toRecord)
    const named = this.workers.map(({ name }, at) => [name, ledgers[at]!] as const)
    return { load: load!, ledgers: new Map(named.filter(([, ledger]) => ledger['#e'] !== undefined)) }
  }

  #text(script: Script): string {
    let text = this.#texts.get(script.name)
    if (text === undefined) {
      const clock = `cjson.decode(redis.call('GET', '${this.#clockKey}'))`
      text = this.#variant(script.name, script.lua).replaceAll("redis.call('TIME')", clock)
      this.#texts.set(script.name, text)
    }
    return text
  }
}

function toRecord(pairs: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (let at = 0; at < pairs.length; at += 2) record[pairs[at]!] = pairs[at + 1]!
  return record
}

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { AdminApi } from '@sticky/proxy/admin-api'
import { stringify } from 'yaml'

const main = fileURLToPath(new URL('../../packages/proxy/src/main.ts', import.meta.url))

interface Listening {
  readonly addresses: readonly string[]
  readonly admin: string
}

/** A line of a node's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

/** What a node's process is started with besides its arguments. */
export interface Surroundings {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that ends by running the node in its place, such as `prlimit --nofile=256`. */
  readonly under?: readonly string[]
}

/** A proxy node as a process of its own, run from a configuration like any user's. */
export class ProxyNode implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #lines: LogLine[] = []
  readonly #waiting = new Set<() => void>()
  /** Ports of its listeners. */
  ports: readonly number[] = []
  admin = ''
  errors = ''
  /** Its configuration. */
  readonly file: string

  private constructor(process: ChildProcess, folder: string, file: string) {
    this.#process = process
    this.#folder = folder
    this.file = file
  }

  /** Starts a node; resolves when it serves. Listeners and admin API are on free loopback ports unless the configuration names others. */
  static async start(config: object, args: readonly string[] = [], surroundings?: Surroundings): Promise<ProxyNode> {
    return ProxyNode.startFile('sticky.yaml', textOf(config), args, surroundings)
  }

  /** Writes another configuration into its file, with the same defaults as at its start. */
  async write(config: object): Promise<void> {
    await writeFile(this.file, textOf(config))
  }

  /** Lets it read its file anew; answers the admin API's status and document. */
  async reload(): Promise<{ readonly status: number; readonly document: Record<string, unknown> }> {
    const response = await fetch(new URL('/v1/reload', this.admin), { method: 'POST' })
    return { status: response.status, document: (await response.json()) as Record<string, unknown> }
  }

  /** The same of a file's name and text. */
  static async startFile(
    name: string,
    text: string,
    args: readonly string[] = [],
    { env = {}, under = [] }: Surroundings = {},
  ): Promise<ProxyNode> {
    const folder = await mkdtemp(join(tmpdir(), 'sticky-node-'))
    const file = join(folder, name)
    await writeFile(file, text)
    const [command, ...words] = [...under, process.execPath, main, 'run', '-c', file, ...args] as [string, ...string[]]
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const node = new ProxyNode(child, folder, file)
    node.#follow()
    try {
      await node.#serving()
    } catch (error) {
      await node[Symbol.asyncDispose]()
      throw error
    }
    return node
  }

  get pid(): number {
    return this.#process.pid!
  }

  get port(): number {
    return this.ports[0]!
  }

  get lines(): readonly LogLine[] {
    return this.#lines
  }

  /** The processes of its workers that live now. */
  async workerPids(): Promise<number[]> {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=', '--ppid', `${this.pid}`])
    return stdout.trim().split(/\s+/).map(Number)
  }

  #follow(): void {
    const end = () => this.#process.kill('SIGKILL')
    process.once('exit', end)
    this.#process.once('exit', () => {
      process.off('exit', end)
      this.#wake()
    })
    this.#process.stderr!.on('data', (bytes) => {
      this.errors += bytes
    })
    createInterface(this.#process.stdout!).on('line', (line) => {
      this.#lines.push(JSON.parse(line) as LogLine)
      this.#wake()
    })
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  async #serving(): Promise<void> {
    const line = (await this.logged('listening')) as LogLine & Listening
    this.ports = line.addresses.map((address) => Number(address.split(':').at(-1)))
    this.admin = line.admin
  }

  /** The first line of that event, and of those fields, already logged or to come. Rejects when the node ends before. */
  async logged(event: string, matching: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    for (;;) {
      const line = this.#lines.find((candidate) => candidate.msg === event && matching(candidate))
      if (line !== undefined) return line
      if (this.ended) throw new Error(`the node ended before it logged "${event}": ${this.errors}${this.#tail()}`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }

  #tail(): string {
    return this.#lines
      .slice(-5)
      .map((line) => `\n${JSON.stringify(line)}`)
      .join('')
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Its exit code, or the signal that ended it. */
  async exit(): Promise<number | NodeJS.Signals> {
    if (!this.ended) await once(this.#process, 'exit')
    return this.#process.exitCode ?? this.#process.signalCode!
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exit()
  }

  /** A GET of the admin API, parsed. */
  async ask<Answer>(path: string): Promise<Answer> {
    const response = await fetch(new URL(path, this.admin))
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Answer
  }

  /** Exchanges in flight in the whole cluster, by backend, as this node's admin API tells. */
  async load(pool: string): Promise<Record<string, number>> {
    const { load } = await this.ask<Awaited<ReturnType<AdminApi['load']>>>(`/v1/load?pool=${pool}`)
    return Object.fromEntries(load.map(({ backend, cluster }) => [backend, cluster]))
  }

  async sessionCount(pool: string): Promise<number> {
    return (await this.ask<Awaited<ReturnType<AdminApi['countSessions']>>>(`/v1/sessions:count?pool=${pool}`)).total
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function textOf(config: object): string {
  const defaults = { listen: [{ address: '127.0.0.1:0' }], admin: { address: '127.0.0.1:0' }, accessLog: false }
  return stringify(patient({ ...defaults, ...config }))
}

/** On a busy machine a Redis in good health may take longer than the usual budget; tests of budgets name their own. */
function patient(config: object): object {
  const { store } = config as { readonly store?: { readonly url?: string; readonly budget?: string } }
  if (store?.url === undefined || store.url === 'memory:' || store.budget !== undefined) return config
  return { ...config, store: { ...store, budget: '1s' } }
}

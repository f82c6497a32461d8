import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface LocalRedisOptions {
  /** More of redis-server's arguments, such as `--replicaof 127.0.0.1 6379`. */
  readonly settings?: readonly string[] | undefined
  /** The contents of a sentinel's configuration file: it is a sentinel then. */
  readonly sentinel?: string | undefined
}

/** A Redis of one's own on a loopback port, without persistence, that can be stopped, killed, frozen and started again. */
export class LocalRedis implements AsyncDisposable {
  readonly port: number
  readonly #binary: string
  readonly #folder: string
  readonly #options: LocalRedisOptions
  #process: ChildProcess | undefined

  private constructor(binary: string, port: number, folder: string, options: LocalRedisOptions) {
    this.#binary = binary
    this.port = port
    this.#folder = folder
    this.#options = options
  }

  /** Starts a server on a free port; resolves when it answers. */
  static async start(binary: string, options: LocalRedisOptions = {}, attempts = 5): Promise<LocalRedis> {
    const redis = new LocalRedis(binary, await freePort(), await mkdtemp(join(tmpdir(), 'sticky-redis-')), options)
    try {
      await redis.#writeSentinel()
      await redis.start()
      return redis
    } catch (error) {
      await redis[Symbol.asyncDispose]()
      // Somebody may have taken the port between our looking and its listening.
      if (attempts === 1) throw error
      return LocalRedis.start(binary, options, attempts - 1)
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again on its port, empty, after `stop` or `kill`. */
  async start(): Promise<void> {
    const server = spawn(this.#binary, this.#arguments(), { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = server
    const end = () => server.kill('SIGKILL')
    process.once('exit', end)
    server.once('exit', () => process.off('exit', end))
    await ready(server, this.#options.sentinel === undefined ? 'Ready to accept connections' : '+monitor master')
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** Ends it without warning. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Keeps its connections open and answers nothing until `resume`. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process
    this.#process = undefined
    if (!server?.pid || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGCONT')
    server.kill(signal)
    await exited
  }

  #arguments(): string[] {
    const { settings = [], sentinel } = this.#options
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder]
    if (sentinel !== undefined) return [this.#sentinelFile, '--sentinel', ...place]
    return [...place, '--save', '', '--appendonly', 'no', ...settings]
  }

  get #sentinelFile(): string {
    return join(this.#folder, 'sentinel.conf')
  }

  /** A sentinel keeps what it learns in its file. */
  async #writeSentinel(): Promise<void> {
    if (this.#options.sentinel !== undefined) await writeFile(this.#sentinelFile, this.#options.sentinel)
  }
}

async function ready(server: ChildProcess, sign: string): Promise<void> {
  const lines: string[] = []
  const failed = once(server, 'error').then(([error]) => {
    throw error
  })
  const started = (async () => {
    // Read on to the end of its output: a full pipe would stop the server.
    const output = createInterface({ input: server.stdout! })
    for await (const line of output) {
      lines.push(line)
      if (line.includes(sign)) return
    }
    throw new Error(`redis-server ended before it was ready: ${lines.at(-1)}`)
  })()
  await Promise.race([started, failed])
  server.stdout!.resume()
}

/** A port that is free on loopback just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free loopback port')
  return address.port
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./counting-app.ts', import.meta.url))

/** A counting application as a process of its own, to kill, freeze and start again on its port. */
export class Application implements AsyncDisposable {
  readonly id: string
  readonly #host: string
  #port = 0
  #process: ChildProcess | undefined

  private constructor(id: string, host: string) {
    this.id = id
    this.#host = host
  }

  /** Listens on a free port of that address; resolves when it serves. */
  static async start(id: string, host = '127.0.0.1'): Promise<Application> {
    const application = new Application(id, host)
    await application.start()
    return application
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** How many bodies of its `/body` it was asked for. */
  async bodies(): Promise<number> {
    return Number(await (await fetch(`${this.url}/bodies`)).text())
  }

  /** Serves again on its port, with nothing in its memory, after `kill`. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [program, this.id, this.#host, `${this.#port}`], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#process = child
    const failed = once(child, 'exit').then(() => {
      throw new Error(`application ${this.id} ended before it served`)
    })
    const [port] = (await Promise.race([once(child, 'message'), failed])) as [number]
    failed.catch(() => undefined)
    this.#port = port
  }

  /** kill -9; its port is closed and its connections are reset when this resolves. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

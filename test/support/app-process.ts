import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('app-process-main.ts', import.meta.url))

/** A scripted application as a process of its own, which can be killed and started again on its port. */
export class AppProcess implements AsyncDisposable {
  readonly id: string
  port = 0
  #process: ChildProcess | undefined

  private constructor(id: string) {
    this.id = id
  }

  static async start(id: string): Promise<AppProcess> {
    const app = new AppProcess(id)
    await app.begin()
    return app
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resolves when it listens, on the same port as ever. */
  async begin(): Promise<void> {
    this.#process = spawn(process.execPath, [main, this.id, `${this.port}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(this.#process.stdout!, 'data')) as [Buffer]
    this.port = Number(line)
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { vi } from 'vitest'

import type { ScriptConfig } from '../config/config.ts'
import { type ScriptHosts, Scripts } from './script-service.ts'

/** A line a script's host logged. */
export interface LoggedFact {
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Scripts in a folder of their own, whose clock is ours. */
export class ScriptFolder implements AsyncDisposable {
  readonly facts: LoggedFact[] = []
  readonly scripts: Scripts
  now = 1000
  readonly #folder = mkdtempSync(join(tmpdir(), 'sticky-script-'))

  constructor() {
    const note = (fields: object, event: string): void => {
      this.facts.push({ event, fields: { ...fields } })
    }
    this.scripts = new Scripts({
      pools: new Set(['shop', 'other']),
      log: { info: note, warn: note },
      clock: () => this.now,
    })
  }

  /** The events logged so far. */
  get events(): string[] {
    return this.facts.map(({ event }) => event)
  }

  get hosts(): ScriptHosts {
    return this.scripts
  }

  /** Resolves when that was logged so many times. */
  async told(event: string, times = 1): Promise<void> {
    await this.eventually(
      () => this.events.filter((each) => each === event).length,
      (count) => count >= times,
    )
  }

  /** Asks until the answer satisfies. */
  async eventually<T>(ask: () => T | Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
    return vi
      .waitUntil(
        async () => {
          const answer = await ask()
          return satisfies(answer) ? { answer } : false
        },
        { timeout: 10_000, interval: 20 },
      )
      .then(({ answer }) => answer)
  }

  /** Writes a script, or a new version of it. */
  write(text: string, name = 'script.ts'): string {
    const file = join(this.#folder, name)
    writeFileSync(file, text)
    return file
  }

  /** The configuration of a script of this text. */
  script(text: string, parts: Partial<ScriptConfig> = {}): ScriptConfig {
    const file = this.write(text)
    return { strategy: 'script', script: './script.ts', file, isolate: false, timeLimit: 50, ...parts }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scripts[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

import type { BackendConfig } from '../config/config.ts'
import { Memo, ownCopy } from './memo.ts'

// More ids than servers that a session ever failed over to.
const MOST_IDS = 64

/** The backends of a pool by the clone ids that session ids end with: `0000abc:c1:c2` names c1, and c2 after it. */
export class CloneHomes {
  readonly #homes = new Map<string, readonly string[]>()
  readonly #separators: string
  readonly #several = new Memo<readonly string[]>(1024)

  /** Of two backends that claim one clone id the first has it. `separators` are single characters, each of which separates. */
  constructor(members: readonly Pick<BackendConfig, 'id' | 'cloneIds'>[], separators: string) {
    this.#separators = separators
    for (const { id, cloneIds } of members) {
      for (const clone of cloneIds) if (!this.#homes.has(clone)) this.#homes.set(clone, [id])
    }
  }

  /** Whom the session id names, best first; undefined when it names nobody of this pool. */
  namedIn(sessionId: string): readonly string[] | undefined {
    const separator = this.#firstSeparator(sessionId)
    if (separator < 0) return undefined
    const clones = sessionId.slice(separator + 1)
    return this.#homes.get(clones) ?? this.#severalIn(clones)
  }

  #firstSeparator(sessionId: string): number {
    if (this.#separators.length === 1) return sessionId.indexOf(this.#separators)
    for (let at = 0; at < sessionId.length; at++) if (this.#separators.includes(sessionId[at]!)) return at
    return -1
  }

  #severalIn(clones: string): readonly string[] | undefined {
    const known = this.#several.get(clones)
    if (known !== undefined) return known
    const homes = new Set<string>()
    for (const clone of this.#split(clones)) {
      const [home] = this.#homes.get(clone) ?? []
      if (home !== undefined) homes.add(home)
    }
    if (homes.size === 0) return undefined
    const found = [...homes]
    this.#several.set(ownCopy(clones), found)
    return found
  }

  #split(clones: string): string[] {
    const [first = '', ...others] = this.#separators
    const alike = others.reduce((text, separator) => text.replaceAll(separator, first), clones)
    return alike.split(first, MOST_IDS)
  }
}

import type { SessionKey } from './store.ts'

/** A number by which what is held of a session is found in columns. */
export type Place = number

/** That of a session that has none. */
export const nowhere: Place = -1

const fewest = 1024

/**
 * Gives each session a place, so many of them at most: then the session not used for longest loses its own. Looking up
 * allocates nothing.
 */
export class NearPlaces {
  readonly #limit: number
  readonly #pools = new Map<string, Map<string, Place>>()
  /** By place: its session's id, and the table that has it. */
  readonly #ids: string[] = []
  readonly #tables: Map<string, Place>[] = []
  /** By place: the neighbours in the order of use. A vacant place has the next vacant one in `older`. */
  #newer = new Int32Array(fewest)
  #older = new Int32Array(fewest)
  #newest = nowhere
  #oldest = nowhere
  #vacant = nowhere
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  /** The session's place, which counts as used now. */
  use(key: SessionKey): Place {
    const place = this.peek(key)
    if (place !== nowhere && place !== this.#newest) {
      this.#unlink(place)
      this.#link(place)
    }
    return place
  }

  peek({ pool, id }: SessionKey): Place {
    return this.#pools.get(pool)?.get(id) ?? nowhere
  }

  /** A place for a session that has none: perhaps that of another one, which loses it. */
  add({ pool, id }: SessionKey): Place {
    if (this.#size === this.#limit) this.remove(this.#oldest)
    const place = this.#takeVacant()
    const table = this.#table(pool)
    table.set(id, place)
    this.#ids[place] = id
    this.#tables[place] = table
    this.#link(place)
    this.#size++
    return place
  }

  /** Takes a session's place from it. */
  remove(place: Place): void {
    this.#tables[place]!.delete(this.#ids[place]!)
    this.#unlink(place)
    this.#older[place] = this.#vacant
    this.#vacant = place
    this.#size--
  }

  #takeVacant(): Place {
    const place = this.#vacant
    if (place === nowhere) return this.#newPlace()
    this.#vacant = this.#older[place]!
    return place
  }

  #newPlace(): Place {
    const place = this.#ids.length
    if (place === this.#newer.length) {
      this.#newer = doubled(this.#newer, new Int32Array(2 * place))
      this.#older = doubled(this.#older, new Int32Array(2 * place))
    }
    return place
  }

  #table(pool: string): Map<string, Place> {
    let table = this.#pools.get(pool)
    if (!table) {
      table = new Map()
      this.#pools.set(pool, table)
    }
    return table
  }

  #link(place: Place): void {
    this.#older[place] = this.#newest
    this.#newer[place] = nowhere
    if (this.#newest !== nowhere) this.#newer[this.#newest] = place
    this.#newest = place
    if (this.#oldest === nowhere) this.#oldest = place
  }

  #unlink(place: Place): void {
    const newer = this.#newer[place]!
    const older = this.#older[place]!
    if (newer === nowhere) this.#newest = older
    else this.#older[newer] = older
    if (older === nowhere) this.#oldest = newer
    else this.#newer[older] = newer
  }
}

function doubled(column: Int32Array<ArrayBuffer>, larger: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  larger.set(column)
  return larger
}

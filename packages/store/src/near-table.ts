import { deadlineOf, touchInterval } from './ageing.ts'
import { unheard } from './change-feed.ts'
import { areToldAlready, fingerprintsOf, noCookies, type ToldCookies, toldCookies } from './near-cookies.ts'
import { NearPlaces, nowhere, type Place } from './near-places.ts'
import { SharedValues } from './shared-values.ts'
import type { Binding, CookieRecord, Milliseconds, SessionKey } from './store.ts'

/** What many bindings have in common. */
type Kind = Pick<Binding, 'backend' | 'epoch' | 'age' | 'endsWithLastCookie' | 'source'>

/**
 * The numbers that each has of its own. `generation` is what the change feed heard by when it was read; `renewed` and `recorded`
 * are when the store was last told, 0 for not by this process.
 */
const at = { version: 0, created: 1, deadline: 2, end: 3, generation: 4, renewed: 5, recorded: 6 } as const
const width = 7
const fewest = 1024
const mostKinds = 1000

/**
 * What a process holds of sessions, bounded: it forgets the one not used for longest. It lies in columns, for as objects
 * 100,000 sessions take several times the memory, and the collector's time.
 */
export class NearTable {
  readonly #places: NearPlaces
  readonly #shared = new SharedValues<Kind>(mostKinds)
  /** The last one of each backend: naming a kind takes longer than comparing with it. */
  readonly #lastKinds = new Map<string, Kind>()
  readonly #kinds: Kind[] = []
  readonly #cookies: ToldCookies[] = []
  readonly #fingerprints: string[] = []
  #numbers = new Float64Array(fewest * width)

  constructor(limit: number) {
    this.#places = new NearPlaces(limit)
  }

  /** Where the session is held, which counts as used now; else `nowhere`. */
  use(key: SessionKey): Place {
    return this.#places.use(key)
  }

  /** Where the session is held; else `nowhere`. */
  peek(key: SessionKey): Place {
    return this.#places.peek(key)
  }

  /** Holds a binding in place of what was held of its session; what the store was told stays known if only that was read again. */
  hold(key: SessionKey, binding: Binding, generation: number): Place {
    let place = this.use(key)
    const isReadAgain = place !== nowhere && this.versionAt(place) === binding.version
    if (place === nowhere) place = this.#places.add(key)
    this.#write(place, binding, generation)
    if (!isReadAgain) this.#tellNothing(place)
    return place
  }

  remove(key: SessionKey): void {
    const place = this.peek(key)
    if (place !== nowhere) this.#places.remove(place)
  }

  bindingAt(place: Place): Binding {
    const { backend, epoch, age, endsWithLastCookie, source } = this.#kinds[place]!
    const numbers = this.#numbers
    const first = place * width
    return {
      state: 'bound',
      backend,
      version: numbers[first + at.version]!,
      epoch,
      created: numbers[first + at.created]!,
      age,
      deadline: numbers[first + at.deadline]!,
      end: numbers[first + at.end]!,
      endsWithLastCookie,
      source,
    }
  }

  versionAt(place: Place): number {
    return this.#numbers[place * width + at.version]!
  }

  deadlineAt(place: Place): Milliseconds {
    return this.#numbers[place * width + at.deadline]!
  }

  /** What the change feed heard by when it was read. */
  generationAt(place: Place): number {
    return this.#numbers[place * width + at.generation]!
  }

  /** It is to be read again before it is used. */
  doubt(place: Place): void {
    this.#numbers[place * width + at.generation] = unheard
  }

  /** Is it time to have the store renew it? */
  isToBeRenewed(place: Place, now: Milliseconds): boolean {
    return now - this.#numbers[place * width + at.renewed]! >= touchInterval(this.#kinds[place]!.age)
  }

  /** The store is told that it was used now. */
  renew(place: Place, now: Milliseconds): void {
    this.written(place, now)
    const { age, endsWithLastCookie } = this.#kinds[place]!
    // It is read again at its deadline: only the store knows its cookies.
    if (endsWithLastCookie) return
    const end = this.#numbers[place * width + at.end]!
    this.#numbers[place * width + at.deadline] = deadlineOf({ touched: now, age, end })
  }

  /** The store was told of its binding now. */
  written(place: Place, now: Milliseconds): void {
    this.#numbers[place * width + at.renewed] = now
  }

  /** Was the store told of these cookies before, and lately? */
  hasRecorded(place: Place, cookies: readonly CookieRecord[], now: Milliseconds): boolean {
    if (this.#kinds[place]!.endsWithLastCookie) return false
    const elapsed = now - this.#numbers[place * width + at.recorded]!
    return (
      areToldAlready(cookies, this.#cookies[place]!, elapsed) && fingerprintsOf(cookies) === this.#fingerprints[place]
    )
  }

  /** The store is told of its cookies now. */
  record(place: Place, cookies: readonly CookieRecord[], now: Milliseconds): void {
    this.#cookies[place] = toldCookies(cookies)
    this.#fingerprints[place] = fingerprintsOf(cookies)
    this.#numbers[place * width + at.recorded] = now
  }

  #write(place: Place, binding: Binding, generation: number): void {
    if ((place + 1) * width > this.#numbers.length) this.#grow()
    const first = place * width
    const numbers = this.#numbers
    numbers[first + at.version] = binding.version
    numbers[first + at.created] = binding.created
    numbers[first + at.deadline] = binding.deadline
    numbers[first + at.end] = binding.end
    numbers[first + at.generation] = generation
    this.#kinds[place] = this.#kindOf(binding)
  }

  #tellNothing(place: Place): void {
    this.#numbers.fill(0, place * width + at.renewed, (place + 1) * width)
    this.#cookies[place] = noCookies
    this.#fingerprints[place] = ''
  }

  #kindOf(binding: Binding): Kind {
    const last = this.#lastKinds.get(binding.backend)
    if (last !== undefined && isOfKind(binding, last)) return last
    const { backend, epoch, age, endsWithLastCookie, source } = binding
    const name = `${epoch} ${age} ${endsWithLastCookie} ${backend}\n${source}`
    const kind = this.#shared.of(name, () => ({ backend, epoch, age, endsWithLastCookie, source }))
    if (this.#lastKinds.size >= mostKinds) this.#lastKinds.clear()
    this.#lastKinds.set(backend, kind)
    return kind
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#numbers.length)
    larger.set(this.#numbers)
    this.#numbers = larger
  }
}

function isOfKind(binding: Binding, { epoch, age, endsWithLastCookie, source }: Kind): boolean {
  return (
    binding.epoch === epoch &&
    binding.age === age &&
    binding.endsWithLastCookie === endsWithLastCookie &&
    binding.source === source
  )
}

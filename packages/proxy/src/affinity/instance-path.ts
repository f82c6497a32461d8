import type { InstancePathConfig } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { mapAnswer } from './instance-answers.ts'
import { InstancePrefixes, isWithin, rebased } from './instance-prefixes.ts'
import type { AffinityServices } from './registry.ts'
import type { AffinityStrategy, OutgoingRequest, PersistenceCode, Session } from './strategy.ts'

/** Genero GAS: a request whose path begins with an instance's prefix goes there; one that starts a session gets a prefix. */
export function instancePath(config: InstancePathConfig, services: AffinityServices): AffinityStrategy {
  return new InstancePath(config, new InstancePrefixes(services.members))
}

class InstancePath implements AffinityStrategy {
  readonly prefixes: InstancePrefixes
  readonly config: InstancePathConfig

  constructor(config: InstancePathConfig, prefixes: InstancePrefixes) {
    this.config = config
    this.prefixes = prefixes
  }

  locate(request: RequestHead): Session {
    const owner = this.prefixes.ownerOf(request.path)
    if (owner !== undefined) return new OwnedSession(this, request, owner)
    return isWithin(request.path, this.config.start) ? new StartingSession(this, request) : stranger
  }

  /** A starting request that another strategy recognised goes to that backend under its prefix, too. */
  adapt(request: OutgoingRequest, to: Backend): void {
    const query = request.target.indexOf('?')
    const path = query < 0 ? request.target : request.target.slice(0, query)
    if (this.prefixes.ownerOf(path) !== undefined || !isWithin(path, this.config.start)) return
    request.target = this.targetAt(to.id, request.target, this.startLength)
  }

  /** The target as the backend expects it, its first `length` characters replaced. */
  targetAt(backend: string, target: string, length: number): string {
    const { mapResponses, start } = this.config
    const own = start === '/' ? '' : start
    return rebased(target, length, mapResponses ? own : this.prefixes.of(backend))
  }

  get startLength(): number {
    return this.config.start === '/' ? 0 : this.config.start.length
  }

  /** Nothing is bound: the next request says by itself where it belongs. */
  answered(by: Backend, response: ResponseHead, request: RequestHead): void {
    const { mapResponses, start } = this.config
    if (mapResponses) mapAnswer(response, { from: start, to: this.prefixes.of(by.id), host: request.host })
  }
}

const nowhere: readonly string[] = []

/** A request without a prefix that begins nothing. */
const stranger: Session = {
  known: false,
  home: nowhere,
  key: undefined,
  persistence: 'NN',
  reason: 'instance-path: the path begins with no prefix, and not with the start path',
  served: () => false,
}

/** A request that begins a session: whoever gets it gets it under its own prefix. */
class StartingSession implements Session {
  readonly known = false
  readonly home: readonly string[] = nowhere
  readonly key: undefined
  readonly persistence: PersistenceCode = 'NN'
  readonly #strategy: InstancePath
  readonly #request: RequestHead

  constructor(strategy: InstancePath, request: RequestHead) {
    this.#strategy = strategy
    this.#request = request
  }

  get reason(): string {
    return `instance-path: a starting request, within ${this.#strategy.config.start}`
  }

  dispatched(to: Backend, outgoing: OutgoingRequest): void {
    outgoing.target = this.#strategy.targetAt(to.id, outgoing.target, this.#strategy.startLength)
  }

  /** Another strategy of the chain may take the session. */
  served(by: Backend, response: ResponseHead): boolean {
    this.#strategy.answered(by, response, this.#request)
    return false
  }
}

/** A request under the prefix of an instance. */
class OwnedSession implements Session {
  readonly known = true
  readonly home: readonly string[]
  readonly key: undefined
  readonly whenAway: 'home-away' | undefined
  persistence: PersistenceCode = 'VN'
  readonly #strategy: InstancePath
  readonly #request: RequestHead
  readonly #owner: string

  constructor(strategy: InstancePath, request: RequestHead, owner: string) {
    this.home = [owner]
    this.whenAway = strategy.config.whenAway === 'refuse' ? 'home-away' : undefined
    this.#strategy = strategy
    this.#request = request
    this.#owner = owner
  }

  get reason(): string {
    return `instance-path: the prefix ${this.#prefix} is that of ${this.#owner}`
  }

  dispatched(to: Backend, outgoing: OutgoingRequest): void {
    const staysAsItIs = to.id === this.#owner && !this.#strategy.config.mapResponses
    if (staysAsItIs) return
    outgoing.target = this.#strategy.targetAt(to.id, outgoing.target, this.#prefix.length)
  }

  served(by: Backend, response: ResponseHead): boolean {
    if (by.id !== this.#owner) this.persistence = 'DN'
    this.#strategy.answered(by, response, this.#request)
    return true
  }

  get #prefix(): string {
    return this.#strategy.prefixes.of(this.#owner)
  }
}

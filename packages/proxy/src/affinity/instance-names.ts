import type { BackendConfig } from '../config/config.ts'
import { openInstance, sealInstance } from './instance-seal.ts'
import type { Keyring, SealingKey } from './keyring.ts'
import { Memo, ownCopy } from './memo.ts'

/** The backend that a cookie's value names. */
export interface NamedInstance {
  /** Its id. */
  readonly backend: string
  /** Is the value sealed with the key that new ones are sealed with? */
  readonly current: boolean
}

/** How cookies name the instances of one pool. */
export interface InstanceNames {
  /** Undefined for what names none of them. */
  read(value: string): NamedInstance | undefined
  /** Undefined for a backend that is never to be named. */
  write(backend: string): string | undefined
}

/** Names as configured, which anybody can write. */
export function plainNames(members: readonly BackendConfig[]): InstanceNames {
  const { backends, instances } = namesOf(members)
  const named = new Map([...backends].map(([instance, backend]) => [instance, { backend, current: true }]))
  return {
    read: (value) => named.get(value),
    write: (backend) => instances.get(backend),
  }
}

/** Names that only holders of the secret can read or write. */
export function sealedNames(pool: string, members: readonly BackendConfig[], keyring: Keyring): InstanceNames {
  return new SealedNames(pool, members, keyring)
}

class SealedNames implements InstanceNames {
  readonly #pool: string
  readonly #keyring: Keyring
  readonly #backends: ReadonlyMap<string, string>
  readonly #instances: ReadonlyMap<string, string>
  readonly #seen = new Memo<NamedInstance>(65_536)
  #keys: ReadonlyMap<number, SealingKey> = new Map()
  #sealing = 0
  #generation = -1

  constructor(pool: string, members: readonly BackendConfig[], keyring: Keyring) {
    const { backends, instances } = namesOf(members)
    this.#pool = pool
    this.#keyring = keyring
    this.#backends = backends
    this.#instances = instances
  }

  read(value: string): NamedInstance | undefined {
    if (this.#generation !== this.#keyring.generation) this.#renewKeys()
    return this.#seen.get(value) ?? this.#open(value)
  }

  write(backend: string): string | undefined {
    if (this.#generation !== this.#keyring.generation) this.#renewKeys()
    const instance = this.#instances.get(backend)
    return instance === undefined ? undefined : sealInstance(instance, this.#keys.get(this.#sealing)!)
  }

  #open(value: string): NamedInstance | undefined {
    const opened = openInstance(value, this.#backends.keys(), this.#keys)
    if (opened === undefined) return undefined
    const named = { backend: this.#backends.get(opened.instance)!, current: opened.keyId === this.#sealing }
    this.#seen.set(ownCopy(value), named)
    return named
  }

  #renewKeys(): void {
    this.#seen.clear()
    this.#keys = this.#keyring.keysOf(this.#pool)
    this.#sealing = this.#keyring.sealing
    this.#generation = this.#keyring.generation
  }
}

interface Names {
  /** Backend ids by instance. */
  readonly backends: ReadonlyMap<string, string>
  /** Instances by backend id. */
  readonly instances: ReadonlyMap<string, string>
}

function namesOf(members: readonly BackendConfig[]): Names {
  const named = members.flatMap(({ id, instance }): [string, string][] =>
    instance === undefined ? [] : [[id, instance]],
  )
  return { instances: new Map(named), backends: new Map(named.map(([backend, instance]) => [instance, backend])) }
}

import type { BackendConfig } from '../config/config.ts'

/** Which instance of a pool owns which paths, whole segments and letter case told apart: `/GAS1` is not `/GAS10`. */
export class InstancePrefixes {
  readonly #owners: ReadonlyMap<string, string>
  readonly #prefixes: ReadonlyMap<string, string>

  constructor(members: readonly BackendConfig[]) {
    const owned = members.filter(({ prefix }) => prefix !== undefined)
    this.#owners = new Map(owned.map(({ id, prefix }) => [prefix!, id]))
    this.#prefixes = new Map(owned.map(({ id, prefix }) => [id, prefix!]))
  }

  /** The backend whose prefix the path is or lies below; no prefix lies below another. */
  ownerOf(path: string): string | undefined {
    for (let end = 1; end < path.length; ) {
      const slash = path.indexOf('/', end + 1)
      end = slash < 0 ? path.length : slash
      const owner = this.#owners.get(path.slice(0, end))
      if (owner !== undefined) return owner
    }
    return undefined
  }

  /** The prefix of a backend; every backend of a pool with `instance-path` has one. */
  of(backend: string): string {
    return this.#prefixes.get(backend) ?? ''
  }
}

/** Is the path this one, or below it, segment by segment? All are below `/`. */
export function isWithin(path: string, above: string): boolean {
  if (above === '/') return path.startsWith('/')
  return path.startsWith(above) && (path.length === above.length || path[above.length] === '/')
}

/** The target with another beginning instead of its first `length` characters; whatever follows stays byte for byte. */
export function rebased(target: string, length: number, beginning: string): string {
  const rest = target.slice(length)
  return beginning === '' && rest[0] !== '/' ? `/${rest}` : beginning + rest
}

import type { Path } from './mistakes.ts'

/**
 * A file as it was written, without the values that the schema objected to, for checks that look at several values at once.
 * A key whose value was taken out is still there, so that it does not count as left out.
 */
export interface Draft {
  readonly listen?: Sparse<DraftListener>
  readonly admin?: false | { readonly address?: string | undefined; readonly token?: string | undefined } | undefined
  readonly node?: { readonly workers?: number | undefined } | undefined
  readonly store?: Partial<Record<'url' | 'lease' | 'heartbeat', string | undefined>> | undefined
  readonly secrets?: Sparse<string>
  readonly pools?: Readonly<Record<string, DraftPool | undefined>> | undefined
  readonly routes?: Sparse<DraftRoute>
  readonly routeMatch?: 'first' | 'bottom-up' | 'best' | undefined
  readonly fallback?: string | undefined
}

/** A list from which items may be missing. */
export type Sparse<Item> = readonly (Item | undefined)[] | undefined

export interface DraftListener {
  readonly address?: string | undefined
  readonly proxyProtocol?: boolean | undefined
  readonly from?: Sparse<string>
  readonly tls?: Sparse<Pick<DraftBackendTls, 'cert' | 'key'>>
}

export interface DraftBackendTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
  readonly insecure?: boolean | undefined
}

export interface DraftPool {
  readonly tls?: DraftBackendTls | undefined
  readonly backends?: Sparse<{
    readonly id?: string | undefined
    readonly url?: string | undefined
    readonly cloneIds?: Sparse<string>
    readonly prefix?: string | undefined
    readonly instance?: string | false | undefined
    readonly tls?: DraftBackendTls | undefined
    readonly healthCheck?: Readonly<Record<string, unknown>> | undefined
  }>
  readonly affinity?: Sparse<DraftStrategy>
  readonly balance?: string | undefined
  readonly countsKnown?: boolean | undefined
  readonly healthCheck?: Readonly<Record<string, unknown>> | undefined
  readonly ejection?: { readonly for?: string | undefined; readonly longest?: string | undefined } | undefined
}

/** A strategy of either kind. */
export interface DraftStrategy {
  readonly strategy?:
    | 'session-cookie'
    | 'persistence-key'
    | 'clone-id'
    | 'instance-cookie'
    | 'instance-path'
    | 'companion-cookie'
    | 'script'
    | undefined
  readonly name?: string | undefined
  readonly script?: string | undefined
  readonly recoverBy?: Sparse<string>
  readonly begin?: string | { readonly cookies?: Sparse<string> } | undefined
  readonly from?: Sparse<{ readonly cookie?: string | undefined }>
  readonly age?: string | undefined
  readonly lifetime?: string | undefined
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly secure?: 'auto' | boolean | undefined
  readonly sameSite?: string | false | undefined
  readonly partitioned?: boolean | undefined
  readonly prefix?: string | undefined
  readonly share?: string | undefined
  readonly start?: string | undefined
  readonly triggers?: Sparse<string>
  readonly meta?: boolean | undefined
  readonly mapResponses?: boolean | undefined
}

export interface DraftRoute {
  readonly host?: string | Sparse<string>
  readonly path?: string | Sparse<string | { readonly path?: string | undefined }>
  readonly pattern?: string | undefined
  readonly pool?: string | undefined
  readonly backends?: Sparse<string>
  readonly whenDrained?: string | undefined
}

/** Was the value of this key a mistake? Then nothing can be said about what depends on it. */
export function isTakenOut<Map extends object>(map: Map, key: keyof Map): boolean {
  return Object.hasOwn(map, key) && map[key] === undefined
}

/** Takes the values at these paths out of the data. */
export function draftOf(data: unknown, invalid: readonly Path[]): Draft {
  const draft = structuredClone(data)
  for (const path of invalid) takeOut(draft, path)
  const whole = isContainer(draft) && invalid.every((path) => path.length > 0)
  // What is left has passed the schema, whose input this describes.
  return whole ? (draft as Draft) : {}
}

function takeOut(draft: unknown, path: Path): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, step) => (isContainer(value) ? value[step] : undefined), draft)
  const last = path.at(-1)
  if (isContainer(parent) && last !== undefined) parent[last] = undefined
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null
}

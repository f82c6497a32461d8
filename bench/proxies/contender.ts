import type { Backend } from '../backends.ts'
import type { Path } from '../pages.ts'

/** A proxy in the bench: how it is set up to keep sessions, and how to start it. */
export interface Contender {
  readonly name: string
  readonly kind: Kind
  /** What must be there for it to run, and whose version it tells. */
  readonly program: string
  /** How it keeps a session on its backend, in a few words for the table's legend. */
  readonly affinity: string
  /** The page it is asked for instead of the row's, where its sessions show in paths. */
  readonly path?: Path
  /** Is it asked for `/loop` now and then, where its script never ends? */
  readonly loops?: boolean
  /** Of ourselves: where the revision's sources are. */
  readonly checkout?: string
  /** As the installed program tells it; undefined when it does not run here. */
  version(): string | undefined
  /** Comes when it serves; `folder` is its own and empty. */
  start(backends: readonly Backend[], folder: string): Promise<RunningProxy>
}

/** Every way to keep sessions that a row may ask for. */
export const kinds = [
  'sticky',
  'sticky-pair',
  'sticky-companion-cookie',
  'sticky-persistence-key',
  'sticky-clone-id',
  'sticky-instance-cookie',
  'sticky-instance-path',
  'sticky-script',
  'sticky-isolated-script',
  'sticky-looping-script',
  'haproxy-insert',
  'haproxy-table',
  'haproxy-peers',
  'nginx',
  'caddy',
  'http-proxy',
  'fastify-http-proxy',
] as const

/** Several contenders are of one kind when two revisions of ourselves run beside each other. */
export type Kind = (typeof kinds)[number]

export interface RunningProxy extends AsyncDisposable {
  /** One port for each node. */
  readonly ports: readonly number[]
  /** First process of each node. */
  readonly pids: readonly number[]
  /** The process that holds its sessions for all nodes, counted apart. */
  readonly storePids: readonly number[]
  /** The text it runs with, for the record. */
  readonly configuration: string
}

import type { Config } from '../config.ts'
import type { Place } from '../mistakes.ts'

/** What a plugin-cfg.xml becomes: the data of a YAML file, no key of which says what is the default anyway. */
export interface Contents {
  readonly routeMatch: Config['routeMatch']
  readonly vhostPort?: 'listener'
  readonly watch?: true
  readonly pools: Readonly<Record<string, PoolContents>>
  readonly routes: readonly RouteContents[]
}

/** A ServerCluster. */
export interface PoolContents {
  readonly balance: 'sharedRoundRobin' | 'random'
  readonly countsKnown?: true
  readonly affinity: readonly { readonly strategy: 'clone-id'; readonly separators?: '+' }[]
  readonly ejection: {
    readonly failures: 1
    readonly for: string
    readonly longest: string
    readonly mostShare: '100%'
  }
  readonly timeouts: TimeoutContents & { readonly ejects?: true }
  readonly maxBody?: string
  readonly replayBody?: string
  readonly removeHeaders?: readonly string[]
  readonly backends: readonly BackendContents[]
}

/** A Server or a ClusterAddress. */
export interface BackendContents {
  readonly id: string
  readonly url: string
  readonly cloneIds: readonly string[]
  readonly weight?: number
  readonly backup?: true
  readonly maxConnections?: number
  readonly timeouts?: TimeoutContents
}

/** How long a server may take. */
export interface TimeoutContents {
  readonly connect?: string
  readonly response?: string
}

/** A Route. */
export interface RouteContents {
  readonly host?: readonly string[]
  readonly path?: readonly (string | PathContents)[]
  readonly pool: string
}

/** A Uri whose session ids are called otherwise than the strategy's. */
export interface PathContents {
  readonly path: string
  readonly cookie?: string
  readonly parameter?: string
}

/** Where in the XML each part of the contents comes from. */
export type Origins = Map<object, Place>

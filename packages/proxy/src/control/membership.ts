import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

import {
  type Membership,
  type Milliseconds,
  type NodeAnnouncement,
  type NodeRow,
  type Store,
  StoreUnavailable,
} from '@sticky/store'

import { type KeyringData, keyId, openedByAll } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import { configHash } from '../config/config-hash.ts'
import { version } from '../version.ts'
import type { Log } from './log.ts'
import { keepSecrets, type SharedSecrets } from './shared-secrets.ts'

/** This node among the others, until it is disposed. */
export interface ClusterMembership extends AsyncDisposable {
  readonly instance: string
  /** What it tells the others of itself. */
  readonly announcement: NodeAnnouncement
  /** What to seal and open with, as far as the nodes that live now allow. */
  readonly keyring: KeyringData
  /** Announces where clients connect. */
  announce(addresses: readonly string[]): Promise<void>
  /** The node runs by another configuration now: tells the others, and seals and opens by its secrets. */
  adopt(config: Config, addresses: readonly string[]): Promise<void>
}

/** What a member needs to know. */
export interface MembershipOptions {
  readonly config: Config
  readonly store: Store
  readonly secrets: SharedSecrets
  readonly log: Log
  /** Called whenever `keyring` has changed. */
  onKeyring(keyring: KeyringData): void
}

/** Joins the cluster's table, and looks at each heartbeat who else lives: what they open, and whether they agree with us. */
export async function joinCluster(options: MembershipOptions): Promise<ClusterMembership> {
  const member = new Member(options)
  await member.join()
  return member
}

/** The time between a store's return and a second look at it. */
const afterReturn: Milliseconds = 300

class Member implements ClusterMembership {
  readonly instance: string = randomUUID()
  keyring: KeyringData
  readonly #options: MembershipOptions
  /** Of those that live now. */
  #suspicions: ReadonlySet<string> = new Set()
  readonly #started = Date.now()
  #config: Config
  #configHash: string
  #secrets: SharedSecrets
  #addresses: readonly string[] = []
  #awaySince: Milliseconds | undefined
  #membership!: Membership
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #left = false

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#config = options.config
    this.#configHash = configHash(options.config)
    this.#secrets = options.secrets
    const { sealing, fingerprint } = options.secrets
    this.keyring = { secrets: sealing, openedByAll: [], fingerprint }
    this.#awaySince = options.store.available ? undefined : options.store.now()
  }

  async join(): Promise<void> {
    const { store, config } = this.#options
    this.#membership = await store.cluster.join(this.announcement)
    await this.#lookAround()
    this.#timer = setInterval(() => this.#lookAround(), config.store.heartbeat).unref()
    store.onAvailability((available) => this.#availabilityChanged(available))
  }

  async announce(addresses: readonly string[]): Promise<void> {
    this.#addresses = addresses
    await this.#membership.announce(this.announcement)
  }

  async adopt(config: Config, addresses: readonly string[]): Promise<void> {
    this.#config = config
    this.#configHash = configHash(config)
    // What is configured no more opens nothing from now on; the cluster's own secret stays.
    if (config.secrets.length > 0) this.#secrets = { ...this.#secrets, sealing: config.secrets }
    // Whether the store is there or not.
    this.#takeKeyring({ ...this.keyring, secrets: this.#secrets.sealing })
    await this.announce(addresses)
    await this.#lookAround()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = true
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    await this.#membership[Symbol.asyncDispose]()
  }

  /** By the way of exchanges: where only that one is slow, the others can be told. */
  #availabilityChanged(available: boolean): void {
    if (this.#left) return
    this.#awaySince = available ? undefined : this.#options.store.now()
    void this.#membership.announce(this.announcement)
    if (available) this.#lookAroundSoon()
  }

  /** What has just come back may need a moment more: there are several ways to it. */
  #lookAroundSoon(): void {
    void this.#lookAround()
    clearTimeout(this.#soon)
    this.#soon = setTimeout(() => this.#lookAround(), afterReturn).unref()
  }

  async #lookAround(): Promise<void> {
    if (this.#left) return
    const { store, log } = this.#options
    try {
      await this.#takeSecrets(await keepSecrets(store.cluster, this.#config.secrets, this.#secrets))
      const nodes = await store.cluster.nodes()
      const { sealing, fingerprint } = this.#secrets
      this.#takeKeyring({ secrets: sealing, openedByAll: openedByAll(nodes), fingerprint })
      this.#suspect(nodes)
    } catch (error) {
      // That the store is away is logged once, where its availability is watched.
      if (!(error instanceof StoreUnavailable)) log.error({ err: error }, 'cluster table failed')
    }
  }

  async #takeSecrets(secrets: SharedSecrets): Promise<void> {
    const { sealing, fingerprint } = this.#secrets
    if (secrets.sealing.length === sealing.length && secrets.fingerprint === fingerprint) return
    this.#secrets = secrets
    await this.#membership.announce(this.announcement)
  }

  #takeKeyring(keyring: KeyringData): void {
    if (JSON.stringify(keyring) === JSON.stringify(this.keyring)) return
    this.keyring = keyring
    this.#options.onKeyring(keyring)
  }

  /** Tells once of each node that is a mistake beside ours, for as long as it is. */
  #suspect(nodes: readonly NodeRow[]): void {
    const own = this.announcement
    const suspicions = new Set<string>()
    for (const other of nodes.filter((node) => node.instance !== own.instance)) {
      const place = { other: other.id, host: other.host, other_pid: other.pid }
      const warn = (event: string): void => {
        const suspicion = `${other.instance} ${other.configHash} ${event}`
        suspicions.add(suspicion)
        if (!this.#suspicions.has(suspicion)) this.#options.log.warn(place, event)
      }
      if (other.id === own.id) warn('another live node has the same id')
      if (other.configHash !== own.configHash) warn('another node has a different configuration')
    }
    this.#suspicions = suspicions
  }

  get announcement(): NodeAnnouncement {
    const config = this.#config
    return {
      id: config.node.id,
      instance: this.instance,
      host: hostname(),
      pid: process.pid,
      version,
      workers: config.node.workers,
      started: this.#started,
      configHash: this.#configHash,
      opens: this.#secrets.sealing.map(keyId),
      addresses: this.#addresses,
      awaySince: this.#awaySince,
    }
  }
}

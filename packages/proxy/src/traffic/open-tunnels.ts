import type { SessionKey, SessionTable } from '@sticky/store'

/** RFC 6455 and IANA's registry: the service restarts, and its client may connect again. */
const SERVICE_RESTART = 1012

/** A WebSocket of some session, as long as it is open. */
export interface Tunnel {
  /** The backend it leads to. */
  readonly backend: string | undefined
  /** Ends it, with that code where its client can be told. */
  closeTunnel(code: number): void
}

/** The open tunnels of a worker, by session: nothing else knows where a session's tunnels are. */
export class OpenTunnels {
  readonly #sessions: SessionTable
  readonly #bySession = new Map<string, Set<Tunnel>>()
  readonly #sessionOf = new Map<Tunnel, string>()

  constructor(sessions: SessionTable) {
    this.#sessions = sessions
  }

  /** Notes a tunnel that opens; one without a session is nobody's. */
  add(tunnel: Tunnel, session: SessionKey | undefined): void {
    if (session === undefined) return
    const name = nameOf(session)
    const open = this.#bySession.get(name)
    if (open === undefined) this.#bySession.set(name, new Set([tunnel]))
    else open.add(tunnel)
    this.#sessionOf.set(tunnel, name)
  }

  delete(tunnel: Tunnel): void {
    const name = this.#sessionOf.get(tunnel)
    if (name === undefined) return
    const open = this.#bySession.get(name)!
    open.delete(tunnel)
    if (open.size === 0) this.#bySession.delete(name)
    this.#sessionOf.delete(tunnel)
  }

  /** Closes those tunnels of a session that do not lead to its home; all of them when it has ended. Rejects with StoreUnavailable. */
  async recall(session: SessionKey): Promise<void> {
    const name = nameOf(session)
    if (!this.#bySession.has(name)) return
    const row = await this.#sessions.find(session)
    if (row.state === 'absent') return
    for (const tunnel of [...(this.#bySession.get(name) ?? [])]) {
      if (row.state === 'ended' || row.backend !== tunnel.backend) tunnel.closeTunnel(SERVICE_RESTART)
    }
  }
}

function nameOf({ pool, id }: SessionKey): string {
  return `${pool}/${id}`
}

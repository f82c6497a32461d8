/** The least a Node proxy needs to keep sessions: a cookie that names the backend, set on the first response. */
export interface Choice {
  readonly origin: string
  /** Undefined when the client has the cookie already. */
  readonly setCookie: string | undefined
}

/** Chooses by the `route` cookie, newcomers in turn; `origins` are `id=http://host:port`. */
export function chooseByCookie(origins: readonly string[]): (cookie: string | undefined) => Choice {
  const backends = new Map(origins.map((pair) => pair.split('=', 2) as [string, string]))
  const ids = [...backends.keys()]
  let turn = 0
  return (cookie) => {
    const home = backends.get(/(?:^|; )route=([^;]+)/.exec(cookie ?? '')?.[1] ?? '')
    if (home) return { origin: home, setCookie: undefined }
    const id = ids[turn++ % ids.length]!
    return { origin: backends.get(id)!, setCookie: `route=${id}; Path=/; HttpOnly` }
  }
}

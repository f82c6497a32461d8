/** Where an admin API listens. */
export interface AdminAddress {
  /** As the user gave it. */
  readonly text: string
  readonly origin: string
  /** Path of the unix socket to connect to instead of the origin's host. */
  readonly socketPath?: string
}

/** Reads `http://host:port` or `unix:/path`; undefined when it is neither. */
export function parseAdminAddress(text: string): AdminAddress | undefined {
  // The server answers to loopback names only, so a socket's requests are addressed to one.
  if (/^unix:\/./.test(text)) return { text, origin: 'http://localhost', socketPath: text.slice('unix:'.length) }
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isOrigin = /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  return isOrigin ? { text, origin: url.origin } : undefined
}

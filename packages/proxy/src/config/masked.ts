/** What stands for a secret: a text that could be one. */
export const mask: string = '*'.repeat(16)

interface Sensitive {
  readonly secrets?: unknown
  readonly admin?: { readonly token?: unknown } | false
  readonly store?: { readonly url?: unknown }
}

/** A file's data without the secrets that stand in it; references to the environment or to files are none. */
export function masked(data: unknown): unknown {
  const { secrets, admin, store } = data as Sensitive
  return {
    ...(data as object),
    ...(Array.isArray(secrets) && { secrets: secrets.map(maskedSecret) }),
    ...(admin && admin.token !== undefined && { admin: { ...admin, token: maskedSecret(admin.token) } }),
    ...(typeof store?.url === 'string' && { store: { ...store, url: maskedUrl(store.url) } }),
  }
}

const wholeReference = /^(?:\$\{[^}]*\}|file:.*)$/

function maskedSecret(secret: unknown): unknown {
  return typeof secret === 'string' && wholeReference.test(secret) ? secret : mask
}

function maskedUrl(url: string): string {
  const hidden = (_: string, before: string, secret: string, after = ''): string =>
    before + maskedSecret(secret) + after
  return url
    .replace(/^([\w+.-]+:\/\/[^:@/]*:)(.*)(@)/, hidden)
    .replace(/([?&][^=&]*password=)([^&#]*)/gi, (_, before, secret) => hidden(_, before, secret))
}

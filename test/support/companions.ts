import type { Ask, Pair, Reply } from './pair.ts'

/** Asks the pool that has a host name of its own, `POOL.example.com`. */
export function askPool(pair: Pair, pool: string, asked: Ask = {}): Promise<Reply> {
  return pair.ask({ host: `${pool}.example.com`, ...asked })
}

/** The same, and the application sets these cookies. */
export function setting(pair: Pair, pool: string, cookies: readonly string[], asked: Ask = {}): Promise<Reply> {
  return askPool(pair, pool, {
    ...asked,
    answer: { headers: { 'Set-Cookie': [...cookies], ...asked.answer?.headers } },
  })
}

/** The cookies of an answer as a client sends them back. */
export function sentBack({ cookies }: Reply): string {
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ')
}

/** The value that `__VCAP_ID__` is set to. */
export function companion({ cookies }: Reply): string | undefined {
  return cookies
    .find((cookie) => cookie.startsWith('__VCAP_ID__='))
    ?.slice('__VCAP_ID__='.length)
    .split(';')[0]
}

/** A pool of these applications in turn, with a route from its host name, which ends where its own begins with `_`. */
export function companionPool(
  id: string,
  backends: readonly object[],
  options: object = {},
  { path = '/*', ...more }: { path?: string; affinity?: readonly object[] } = {},
): { pools: Record<string, object>; routes: object[] } {
  const affinity = [{ strategy: 'companion-cookie', value: 'plain', ...options }]
  return {
    pools: { [id]: { backends, balance: 'roundRobin', affinity, ...more } },
    routes: [{ host: `${id.split('_')[0]}.example.com`, path, pool: id }],
  }
}

/** One configuration of several pools. */
export function together(parts: readonly ReturnType<typeof companionPool>[]): ReturnType<typeof companionPool> {
  return { pools: Object.assign({}, ...parts.map(({ pools }) => pools)), routes: parts.flatMap(({ routes }) => routes) }
}

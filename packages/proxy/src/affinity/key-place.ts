import type { KeySource } from '../config/config.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { networkOf, type PrefixLengths } from './address-network.ts'
import { cookieValue } from './cookies.ts'
import { Memo, ownCopy } from './memo.ts'
import { pathParameter, queryParameter } from './parameters.ts'
import type { Client } from './strategy.ts'

/** Where requests carry the value that is a session's key. */
export interface KeyPlace {
  /** As `sticky-cli sessions` shows it: `cookie:JSESSIONID`. */
  readonly name: string
  /** Places of one name in any case carry the same values: `cookie: JSESSIONID`, and `;jsessionid=` where cookies are refused. */
  readonly namespace: string
  /** The value a request has there: the first, where there are several. */
  valueIn(request: RequestHead, client: Client): string | undefined
}

/** The place that a source of the configuration names. */
export function keyPlace(source: KeySource): KeyPlace {
  if ('cookie' in source) return cookiePlace(source.cookie)
  if ('header' in source) return headerPlace(source.header)
  if ('query' in source) return named('query', source.query, ({ target }) => queryParameter(target, source.query))
  if ('pathParam' in source) return named('path', source.pathParam, ({ path }) => pathParameter(path, source.pathParam))
  return addressPlace(source)
}

function addressPlace(lengths: PrefixLengths): KeyPlace {
  const networks = new Memo<string>(16_384)
  const valueIn = (_: RequestHead, { address }: Client): string | undefined => {
    const known = networks.get(address)
    if (known !== undefined) return known
    const network = networkOf(address, lengths)
    if (network !== undefined) networks.set(ownCopy(address), network)
    return network
  }
  // No name of a cookie, field or parameter has a blank.
  return { name: 'client-address', namespace: 'client address', valueIn }
}

function cookiePlace(cookie: string): KeyPlace {
  return named('cookie', cookie, (request) =>
    request.cookie === undefined ? undefined : cookieValue(request.cookie, cookie),
  )
}

function headerPlace(header: string): KeyPlace {
  const name = header.toLowerCase()
  return named('header', header, (request) => request.header(name))
}

function named(kind: string, name: string, valueIn: KeyPlace['valueIn']): KeyPlace {
  return { name: `${kind}:${name}`, namespace: name.toLowerCase(), valueIn }
}

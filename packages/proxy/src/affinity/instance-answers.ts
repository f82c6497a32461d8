import type { ResponseHead } from '../wire/response-head.ts'
import { isWithin, rebased } from './instance-prefixes.ts'
import { attributeValue } from './set-cookie.ts'

/** From the path that an instance knows to the one that its clients use. */
export interface PathMapping {
  /** `/gas`, or `/` for all. */
  readonly from: string
  /** `/GAS1`. */
  readonly to: string
  /** The Host that the client named, to tell our own absolute locations from others'. */
  readonly host: string
}

/** Maps the paths that an answer tells its client: `Location`, `Content-Location` and the `Path` of cookies. */
export function mapAnswer(response: ResponseHead, mapping: PathMapping): void {
  const location = (value: string): string => mappedLocation(value, mapping)
  response.changeField('location', location)
  response.changeField('content-location', location)
  if (response.setCookies.length > 0) response.changeField('set-cookie', (cookie) => mappedCookie(cookie, mapping))
}

function mappedLocation(location: string, mapping: PathMapping): string {
  const [, origin = '', authority, rest = ''] = /^((?:https?:)?\/\/([^/?#]*))?(.*)$/i.exec(location) ?? []
  const isOurs = authority === undefined || authority.toLowerCase() === mapping.host.toLowerCase()
  return isOurs ? origin + mappedTarget(rest, mapping) : location
}

function mappedTarget(target: string, { from, to }: PathMapping): string {
  const path = target.replace(/[?#].*$/, '')
  // One that begins with the prefix already, of an application that was told of it, would get it twice.
  if (!isWithin(path, from) || isWithin(path, to)) return target
  return rebased(target, from === '/' ? 0 : from.length, to)
}

function mappedCookie(cookie: string, mapping: PathMapping): string {
  const [pair, ...attributes] = cookie.split(';')
  return [pair, ...attributes.map((attribute) => mappedAttribute(attribute, mapping))].join(';')
}

/** A cookie of the whole start path becomes one of the whole prefix. */
function mappedAttribute(attribute: string, mapping: PathMapping): string {
  const path = attributeValue(attribute.trim(), 'path')
  if (path === undefined) return attribute
  const mapped = mappedTarget(path, mapping)
  return attribute.replace(path, () => (path === '/' && mapped !== path ? mapped.slice(0, -1) : mapped))
}

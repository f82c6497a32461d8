import { framedBody } from './body-grammar.ts'
import type { Dice } from './dice.ts'
import { anyField, connectionFields, fieldLine, lineEnd } from './field-grammar.ts'

const METHODS = [
  'GET',
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'QUERY',
  'PROPFIND',
  'M-SEARCH',
  'MKCALENDAR',
]
const ODD_METHODS = [
  'get',
  'G@T',
  'CONNECT',
  'FOO',
  '',
  'SOURCE',
  'PRI',
  'GET\t',
  'DESCRIBE',
  'GETT',
  'GE',
  '\xe9',
  ' GET',
  'M-SEARCh',
]
const TARGETS = [
  '/',
  '/',
  '/a/b',
  '/a?b=c&d',
  '/%2f;x=1//y',
  '//x',
  '/?',
  "/~!$&'()*+,;=:@",
  '/a.b/.c/d..',
  '/?/../x',
  '/{}|^`"[]',
  '/%zz',
  '/a%20b',
  '/http://x/',
  '/<>',
]
const ODD_TARGETS = [
  '',
  'a',
  '*',
  '/../',
  '/a/..',
  '/%2e/',
  '/%2E%2e',
  '/%00',
  '/a#b',
  '/a\\b',
  '/\xe9',
  '/\x7f',
  'https://u@example.com/',
  '/.',
  'http://other/',
  'ftp://example.com/',
  'http:///',
  'http://',
  `/${'t'.repeat(300)}`,
  '/a b',
  '/\t',
  '/\0',
  'example.com:80',
  'http://example.com:80/',
  'http://[::1]/',
  'http://a b/',
  'http:/x',
  'http:example.com',
  '/a/%2e%2e/b',
  '/a;/..;/b',
  '?',
  '?a',
  'http://example.com#',
  'http://example.com\\x',
  'http://exa"mple/',
  'http://example.com;x/',
  'http://a%41/',
  'http://_a/',
  'http://~/',
]
const HOSTS = ['example.com', 'example.com', 'Example.COM', 'example.com:80', '[::1]:8080', '10.0.0.1', 'a_b', 'a~b']
const ODD_HOSTS = [
  '',
  'a b',
  'a:b',
  'u@h',
  'a/b',
  'a,b',
  'a:123456',
  '[::1',
  'a:',
  '\xe9',
  'a?b',
  'a#b',
  '[g]',
  '*',
  '%41',
  'a:80:80',
]

const PATHS_AFTER_HOST = ['', '/', '/x?y', '?q', '//']
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0']
const ODD_VERSIONS = [
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.1 ',
  'HTTP/11',
  '',
  'HTTP/1.10',
  'ICE/1.0',
  'RTSP/1.0',
  'HTTP/1,1',
  'HTTPS/1.1',
  'HTTP /1.1',
]

/** One request with its body. */
export function request(dice: Dice): string {
  const version = dice.pick(VERSIONS, ODD_VERSIONS)
  const host = dice.pick(HOSTS, ODD_HOSTS)
  const body = framedBody(dice, version !== 'HTTP/1.0' || dice.odd)
  const others = dice.some(4, () => anyField(dice))
  const fields = shuffled(dice, [hostFields(dice, host), connectionFields(dice), body.fields, switching(dice), others])
  return requestLine(dice, host, version) + fields + flood(dice) + lineEnd(dice) + body.content
}

function requestLine(dice: Dice, host: string, version: string): string {
  const method = dice.pick(METHODS, ODD_METHODS)
  const space = (): string => dice.pick([' '], ['  ', '\t', '', ' \t', '\x0b', '\xa0'])
  return method + space() + target(dice, method, host) + space() + version + lineEnd(dice)
}

function target(dice: Dice, method: string, host: string): string {
  if (method === 'OPTIONS' && dice.random.chance(30)) return '*'
  if (dice.random.chance(8))
    return dice.random.pick(['http://', 'HTTP://', 'https://']) + host + dice.random.pick(PATHS_AFTER_HOST)
  return dice.pick(TARGETS, ODD_TARGETS)
}

function hostFields(dice: Dice, host: string): string {
  const line = fieldLine(dice, dice.random.pick(['Host', 'host', 'HOST']), host)
  if (!dice.odd) return line
  return dice.random.pick(['', line + line, `${line}Host: other\r\n`])
}

/** Now and then an upgrade, an expectation, or TE. */
function switching(dice: Dice): string {
  const { random } = dice
  if (random.chance(90)) return ''
  if (random.chance(40))
    return fieldLine(dice, 'Expect', dice.pick(['100-continue', '100-Continue'], ['200-ok', '', '100-continue, x']))
  if (random.chance(40))
    return fieldLine(dice, 'TE', random.pick(['trailers', 'gzip;q=0.5, trailers', 'x', 'trailers;q=0', '"']))
  const upgrade = fieldLine(
    dice,
    'Upgrade',
    dice.pick(['websocket', 'WebSocket', 'h2c'], ['websocket, h2c', '', 'websocket/13', 'x y', 'TLS/1.0']),
  )
  return (
    upgrade +
    (random.chance(80)
      ? fieldLine(dice, 'Connection', random.pick(['Upgrade', 'keep-alive, upgrade', 'close, upgrade']))
      : '')
  )
}

/** Now and then more header lines than allowed. */
const flood = (dice: Dice): string =>
  dice.odd && dice.random.chance(4) ? 'a: b\r\n'.repeat(dice.random.below(40)) : ''

function shuffled(dice: Dice, parts: string[]): string {
  if (dice.random.chance(50)) parts.reverse()
  return parts.join('')
}

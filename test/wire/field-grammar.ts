import type { Dice } from './dice.ts'

/** A line's end. */
export const lineEnd = (dice: Dice): string =>
  dice.pick(['\r\n'], ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ', '\r\n\t', '\0\r\n', ''])

const NAMES = [
  'Accept',
  'accept-encoding',
  'Cookie',
  'Authorization',
  'X-A',
  'x',
  "!#$%&'*+-.^_`|~0",
  'User-Agent',
  'Set-Cookie',
  '__proto__',
  'constructor',
  'toString',
  'Content_Length',
  'Transfer_Encoding',
  'X_Forwarded_For',
  'hasOwnProperty',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'Forwarded',
  'X-Real-IP',
  'X-Request-Id',
  'Keep-Alive',
  'Proxy-Connection',
  'Cache-Control',
  'Content-Type',
  'Content-Lengthy',
  'Content-Lengt',
  'Transfer-Encodin',
  'Range',
  'Referer',
  'Origin',
]
const ODD_NAMES = [
  '',
  ' ',
  'A B',
  ' A',
  'A ',
  'A\t',
  'Bad(',
  'A:',
  ':',
  '\xe9',
  'A\0',
  'A\x7f',
  'Content-Length\0',
  'Host\t',
  '"A"',
  'A,',
  'A/B',
]
const VALUES = [
  'x',
  '',
  'a, b',
  '\xff\x80\xa0',
  'a\tb',
  'a  b',
  '"',
  '"a\\"b"',
  'a=b; c="d',
  ':',
  'a:b',
  '%00',
  'text/html;q=0.8',
  '\x85',
  '0',
]
const ODD_VALUES = [
  '\0',
  '\x01',
  'a\rb',
  'a\nb',
  '\x7f',
  'a\r\n b',
  'a\r\n\tb',
  '\x1b[0m',
  'a\r',
  '\r\n',
  'v'.repeat(1200),
  '\x0b',
  '\x0c',
]
const COLONS = [': ', ': ', ': ', ':', ':\t', ':   ']

/** A header line with its end. */
export function fieldLine(dice: Dice, name: string, value: string): string {
  const colon = dice.pick(COLONS, [' :', '\t:', '', ' ', '::', ' : ', ':\r\n ', ':\n'])
  const blank = dice.random.chance(3) ? ' \t' : ''
  return name + colon + value + blank + lineEnd(dice)
}

/** Any header line but those that frame, route or persist. */
export const anyField = (dice: Dice): string =>
  fieldLine(dice, dice.pick(NAMES, ODD_NAMES), dice.pick(VALUES, ODD_VALUES))

/** A Connection line, with what goes with it. */
export function connectionFields(dice: Dice): string {
  const { random } = dice
  if (random.chance(70)) return ''
  const name = random.pick(['Connection', 'connection', 'CONNECTION'])
  const value = dice.pick(
    [
      'keep-alive',
      'keep-alive',
      'Keep-Alive',
      'close',
      'X-A',
      'keep-alive, X-A',
      'Cookie',
      ', ,keep-alive,',
      'TE',
      '',
      'Content-Length, x',
    ],
    [
      'a b',
      '@',
      'close close',
      'keep-alive;q=1',
      '"close"',
      'upgrade',
      'clos',
      'closed',
      'close\t, x',
      'close ,',
      'xclose',
      'host, transfer-encoding',
    ],
  )
  const again = dice.odd ? fieldLine(dice, name, random.pick(['close', 'keep-alive', 'upgrade'])) : ''
  return fieldLine(dice, name, value) + again
}

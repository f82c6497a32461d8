import type { Dice } from './dice.ts'
import { anyField, fieldLine, lineEnd } from './field-grammar.ts'

/** A body with the header lines that frame it. */
export interface FramedBody {
  readonly fields: string
  readonly content: string
}

const CONTENTS = [
  '',
  'a',
  'hello',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n',
  '\0\xff\n',
  'x'.repeat(300),
]

/** Without a body, with a counted one, with chunks, or with what some parser takes for one of them. */
export function framedBody(dice: Dice, mayChunk = true): FramedBody {
  const { random } = dice
  const content = random.pick(CONTENTS)
  if (dice.odd) return oddBody(dice, content)
  const kind = random.below(10)
  if (kind < 5) return { fields: '', content: '' }
  if (kind < 7 || !mayChunk) return { fields: lengthLine(dice, String(content.length)), content }
  return { fields: codingLine(dice, 'chunked') + trailerLine(dice), content: chunked(dice, content) }
}

const lengthLine = (dice: Dice, value: string): string =>
  fieldLine(dice, dice.random.pick(['Content-Length', 'content-length', 'CONTENT-LENGTH']), value)

const codingLine = (dice: Dice, value: string): string =>
  fieldLine(dice, dice.random.pick(['Transfer-Encoding', 'transfer-encoding']), value)

const trailerLine = (dice: Dice): string => (dice.random.chance(20) ? fieldLine(dice, 'Trailer', 'X-T') : '')

function oddBody(dice: Dice, content: string): FramedBody {
  const { random } = dice
  const length = lengthLine(dice, oddLength(dice, content.length))
  const right = lengthLine(dice, String(content.length))
  const coding = codingLine(dice, random.pick(ODD_CODINGS))
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return { fields: length, content }
    case 3:
      return { fields: right + length, content }
    case 4:
      return { fields: right + right, content }
    case 5:
      return { fields: codingLine(dice, 'chunked') + right, content: chunked(dice, content) }
    case 6:
      return { fields: right + codingLine(dice, 'chunked'), content: chunked(dice, content) }
    default:
      return {
        fields: coding + (random.chance(20) ? codingLine(dice, 'chunked') : ''),
        content: chunked(dice, content),
      }
  }
}

const ODD_CODINGS = [
  'Chunked',
  'CHUNKED',
  'chunked, chunked',
  'gzip, chunked',
  'chunked, gzip',
  'chunked,',
  ',chunked',
  '"chunked"',
  'identity',
  'xchunked',
  'chunkedx',
  'chunked;q=1',
  'chunked\t;',
  'chunk',
  '',
  '\x0bchunked',
  'chunked\r\n , x',
  'gzip',
  'chunked identity',
]

function oddLength(dice: Dice, length: number): string {
  const written = String(length)
  return dice.random.pick([
    `00${written}`,
    `+${written}`,
    `-${written}`,
    `0x${length.toString(16)}`,
    `${written}.0`,
    `${written}e0`,
    `${written}, ${written}`,
    '',
    '1e1',
    `${written}_0`,
    `${written};`,
    '9007199254740993',
    '18446744073709551616',
    `${length + 1}`,
    `${length - 1}`,
    '0x0',
    '\xb2',
    `0${written}`,
    `${written} ${written}`,
    `"${written}"`,
    `0b${length.toString(2)}`,
    '5000',
    'Infinity',
    'NaN',
    '1',
  ])
}

/** A chunked body. */
export function chunked(dice: Dice, content: string): string {
  let text = ''
  for (let at = 0; at < content.length; ) {
    const size = 1 + dice.random.below(content.length - at)
    text += sizeLine(dice, size) + content.slice(at, at + size) + chunkEnd(dice)
    at += size
  }
  text +=
    dice.pick(['0', '0', '000'], ['', '0x0', '-0', '+0', '00000000000000000', '0 ']) + extension(dice) + lineEnd(dice)
  return text + trailers(dice) + lineEnd(dice)
}

const chunkEnd = (dice: Dice): string => dice.pick(['\r\n'], ['', '\n', 'xx', '\r', 'x\r\n', '\r\n\r\n', '\n\n'])

function sizeLine(dice: Dice, size: number): string {
  const hex = size.toString(16)
  const digits = dice.pick(
    [hex, hex, hex.toUpperCase(), `0${hex}`],
    [
      `0x${hex}`,
      `0X${hex}`,
      `+${hex}`,
      `-${hex}`,
      ` ${hex}`,
      `${hex} `,
      `${hex}\t`,
      `${hex}_0`,
      '',
      'g',
      `${hex}g`,
      `1${'0'.repeat(16)}`,
      'fffffffffffffff',
      `${hex}.0`,
      `${hex}\0`,
    ],
  )
  return digits + extension(dice) + lineEnd(dice)
}

const extension = (dice: Dice): string =>
  dice.random.chance(80) && !dice.odd
    ? ''
    : dice.pick(
        ['', ';a', ';a=b', ';a="q r"', ';a=b;c=d', ';a=";"', ';a=""'],
        [
          ';',
          '; a',
          ';a=',
          ';a="',
          ';a b',
          ' ;a=b',
          `;${'e'.repeat(300)}`,
          ';a\n',
          ';\r',
          ';a="\\x"',
          ';a="\n"',
          ';a=b=c',
          ';;a',
          ';a="b"c',
          ';a=\xff',
        ],
      )

function trailers(dice: Dice): string {
  if (!dice.odd)
    return dice.random.chance(15)
      ? dice.some(2, () => fieldLine(dice, dice.random.pick(['X-T', 'Digest', 'Server-Timing']), 'v'))
      : ''
  if (dice.random.chance(10)) return dice.some(9, () => `X: ${'t'.repeat(4000)}\r\n`)
  const names = [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Set_Cookie',
    'Set-Cookie',
    'X-Forwarded-For',
    ' X-T',
    'X-T ',
    '',
    'If-Match',
  ]
  return dice.random.chance(50) ? fieldLine(dice, dice.random.pick(names), '1') : anyField(dice)
}

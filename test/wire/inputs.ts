import { Dice } from './dice.ts'
import type { Asked } from './oracle.ts'
import type { Random } from './random.ts'
import { request } from './request-grammar.ts'
import { asked, response } from './response-grammar.ts'

// In a thousand: how often a part of a message is drawn from what is not allowed.
const ODDS = [0, 0, 0, 10, 20, 40, 100]

/** The bytes of a connection: some requests in a row, nearly half of the time as the grammar allows, else with faults. */
export function requestBytes(random: Random): Buffer {
  const dice = new Dice(random, random.pick(ODDS))
  let text = ''
  for (let left = 1 + random.below(3); left > 0; left--) text += request(dice)
  return encoded(random, text)
}

/** The bytes of a backend's connection, with the requests that they answer. */
export function responseBytes(random: Random): { asked: Asked[]; bytes: Buffer } {
  const dice = new Dice(random, random.pick(ODDS))
  const requests = Array.from({ length: 1 + random.below(3) }, () => asked(dice))
  const text = requests.map((one) => response(dice, one)).join('')
  return { asked: requests, bytes: encoded(random, text) }
}

const encoded = (random: Random, text: string): Buffer =>
  Buffer.from(random.chance(12) ? damaged(random, text) : text, 'latin1')

const BYTES = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  'x',
  '\x7f',
  '\xff',
  '\r\n',
  '\r\n\r\n',
  '%',
  '#',
  '"',
  '+',
  '-',
]

/** Cut, torn, doubled or with a foreign byte, anywhere. */
function damaged(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  const to = Math.min(text.length, at + random.below(12))
  const before = text.slice(0, at)
  switch (random.below(6)) {
    case 0:
      return before
    case 1:
      return before + text.slice(to)
    case 2:
      return before + text.slice(at, to) + text.slice(at)
    case 3:
      return before + random.pick(BYTES) + text.slice(at + 1)
    case 4:
      return before.replace(/\r\n(?=[^\n]*$)/, '\n') + text.slice(at)
    default:
      return before + random.pick(BYTES) + text.slice(at)
  }
}

/** The same bytes in pieces, as a network might deliver them. */
export function pieces(random: Random, bytes: Buffer): Buffer[] {
  const cuts = random.chance(10) ? bytes.length : random.below(6)
  if (cuts === bytes.length) return Array.from({ length: cuts }, (_, at) => bytes.subarray(at, at + 1))
  const places = Array.from({ length: cuts }, () => random.below(bytes.length + 1)).sort((a, b) => a - b)
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}

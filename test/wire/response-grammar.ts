import { framedBody } from './body-grammar.ts'
import type { Dice } from './dice.ts'
import { anyField, connectionFields, fieldLine, lineEnd } from './field-grammar.ts'
import type { Asked } from './oracle.ts'

/** A request whose answer the grammar gives: most are GET, some HEAD or an upgrade. */
export function asked(dice: Dice): Asked {
  const method = dice.random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST'])
  return { method, upgrade: method === 'GET' && dice.random.chance(12) }
}

/** What a backend might answer: interim responses and a final one, with its body where there is one. */
export function response(dice: Dice, to: Asked): string {
  const interims = dice.random.chance(15) ? dice.some(2, () => interim(dice)) : ''
  if (to.upgrade && dice.random.chance(70)) return interims + switching(dice)
  return interims + (dice.odd ? oddlyBodied(dice) : final(dice, to))
}

function statusLine(dice: Dice, status: string): string {
  const version = dice.pick(
    ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'],
    ['HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/0.9', 'HTTP/1.10', 'ICY', 'RTSP/1.0', ''],
  )
  const reason = dice.pick(
    [' OK', ' ', '', ' Not Found', ' \xe9', ' a  b', ' a\tb', '  x', ' x '],
    ['\0', ' a\rb', ' a\nb', '\tOK', ' \x7f', 'OK', ' \x01'],
  )
  const space = dice.pick([' '], ['  ', '\t', ''])
  return (
    version +
    space +
    dice.pick([status], ['20', '2000', '099', '000', '2x0', '-20', '', '600', '999', '199']) +
    reason +
    lineEnd(dice)
  )
}

const interim = (dice: Dice): string =>
  statusLine(dice, dice.pick(['100', '103', '102'], ['101', '199'])) +
  dice.some(2, () => anyField(dice)) +
  lineEnd(dice)

function switching(dice: Dice): string {
  const upgrade = fieldLine(dice, 'Upgrade', dice.pick(['websocket', 'WebSocket'], ['h2c', '', 'websocket, x']))
  const connection = fieldLine(
    dice,
    'Connection',
    dice.pick(['Upgrade', 'upgrade', 'keep-alive, Upgrade'], ['close', '', 'x']),
  )
  return `${statusLine(dice, '101')}${dice.odd ? '' : upgrade}${dice.odd ? '' : connection}${dice.some(2, () => field(dice))}${lineEnd(dice)}\x81\x05hello`
}

/** A final response; 204, 304 and answers to HEAD have no body whatever their fields tell. */
function final(dice: Dice, to: Asked): string {
  const status = dice.random.pick(['200', '200', '200', '404', '500', '201', '204', '304', '302'])
  const bodiless = to.method === 'HEAD' || status === '204' || status === '304'
  const body = framedBody(dice)
  const content = bodiless && !dice.odd ? '' : body.content
  return head(dice, status, body.fields) + content
}

const oddlyBodied = (dice: Dice): string => {
  const body = framedBody(dice)
  return head(dice, dice.random.pick(['200', '204', '304']), body.fields) + body.content
}

function head(dice: Dice, status: string, framing: string): string {
  const parts = [framing, connectionFields(dice), dice.some(4, () => field(dice))]
  if (dice.random.chance(50)) parts.reverse()
  return statusLine(dice, status) + parts.join('') + lineEnd(dice)
}

const OWN_FIELDS = [
  'Set-Cookie: a=b; Path=/\r\n',
  'Keep-Alive: timeout=5, max=100\r\n',
  'Cache-Control: public, max-age=60\r\n',
  'Upgrade: h2c\r\n',
]

const field = (dice: Dice): string => (dice.random.chance(25) ? dice.random.pick(OWN_FIELDS) : anyField(dice))

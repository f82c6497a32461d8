import type { MessageRead, Reading } from './reading.ts'

/** What we accepted and the oracle refused or read differently; undefined if nothing. */
export function differenceFromOracle(ours: Reading, oracle: Reading): string | undefined {
  for (const [index, message] of ours.messages.entries()) {
    const other = oracle.messages[index]
    if (other === undefined) return `message ${index}: the oracle refuses it (${oracle.refusal}) or reads on`
    const difference = differenceOfMessages(message, other)
    if (difference !== undefined) return `message ${index}: ${difference}`
  }
  return undefined
}

function differenceOfMessages(ours: MessageRead, oracle: MessageRead): string | undefined {
  if (ours.start[0] !== oracle.start[0]) return `${ours.start[0]} is ${oracle.start[0]}`
  if (ours.start[1] !== oracle.start[1] && ours.start[1] !== reduced(oracle.start[1]))
    return `${ours.start[1]} is ${oracle.start[1]}`
  if (ours.minorVersion !== undefined && ours.minorVersion !== oracle.minorVersion)
    return `version 1.${ours.minorVersion} is 1.${oracle.minorVersion}`
  if (!sameList(ours.fields, oracle.fields))
    return `header ${JSON.stringify(ours.fields)} is ${JSON.stringify(oracle.fields)}`
  if (!ours.complete) return differenceOfBeginnings(ours.body, oracle.body)
  if (!oracle.complete) return 'it does not end here'
  if (ours.body !== oracle.body) return `body ${JSON.stringify(ours.body)} is ${JSON.stringify(oracle.body)}`
  if (!sameList(ours.trailers, oracle.trailers))
    return `trailers ${JSON.stringify(ours.trailers)} are ${JSON.stringify(oracle.trailers)}`
  if (ours.switchedAt !== undefined && ours.switchedAt !== oracle.switchedAt)
    return `the switch at ${ours.switchedAt} is at ${oracle.switchedAt}`
  return undefined
}

/** A target in absolute form as backends see it: without scheme and authority. */
function reduced(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

const differenceOfBeginnings = (ours: string, oracle: string): string | undefined =>
  ours.startsWith(oracle) || oracle.startsWith(ours) ? undefined : 'its body begins otherwise'

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index])

/** How reading the same bytes in pieces differs from reading them whole; undefined if it does not. */
export function differenceOfPieces(whole: Reading, inPieces: Reading): string | undefined {
  if ((whole.refusal === undefined) !== (inPieces.refusal === undefined))
    return `${whole.refusal} is ${inPieces.refusal}`
  if (whole.unfinished !== inPieces.unfinished) return 'one of them goes on'
  if (whole.messages.length !== inPieces.messages.length) return 'another number of messages'
  for (const [index, message] of whole.messages.entries()) {
    const difference = differenceOfMessages(inPieces.messages[index]!, message)
    if (difference !== undefined || inPieces.messages[index]!.complete !== message.complete)
      return `message ${index}: ${difference}`
  }
  return undefined
}

/** How the messages relayed differ from those that were sent, but for what is ours to write. */
export function differenceOfRelayed(sent: Reading, read: Reading): string | undefined {
  if (read.refusal !== undefined || read.unfinished) return `refused for ${read.refusal}`
  const whole = sent.messages.filter((message) => message.complete)
  if (whole.length !== read.messages.length) return `${whole.length} messages are ${read.messages.length}`
  return whole.map((message, index) => differenceOfOne(message, read.messages[index]!)).find((one) => one !== undefined)
}

function differenceOfOne(sent: MessageRead, read: MessageRead): string | undefined {
  const named = valuesOf(sent.fields, 'connection').flatMap((value) => value.toLowerCase().split(/[\s,]+/))
  if (!sameList(sent.start, read.start)) return `${sent.start} is ${read.start}`
  if (sent.body !== read.body) return `body ${JSON.stringify(sent.body)} is ${JSON.stringify(read.body)}`
  if (!sameList(sent.trailers, read.trailers)) return 'other trailers'
  if (!sameList(endToEnd(sent.fields, named), endToEnd(read.fields, named)))
    return `header ${JSON.stringify(sent.fields)} is ${JSON.stringify(read.fields)}`
  return cookiesOf(sent) === cookiesOf(read) ? undefined : `cookies ${cookiesOf(sent)} are ${cookiesOf(read)}`
}

const cookiesOf = ({ fields }: MessageRead): string =>
  valuesOf(fields, 'cookie')
    .filter((value) => value !== '')
    .join('; ')

const OURS =
  /^(?:host|cookie|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|x-forwarded-.*|forwarded|x-real-ip|x-request-id)$/

/** Fields that are no one's business but the client's and the application's, look-alikes and those Connection may name left out. */
function endToEnd(fields: readonly string[], named: readonly string[]): string[] {
  return pairsOf(fields).flatMap(([name, value]) => {
    const plain = name.toLowerCase()
    return OURS.test(plain.replaceAll('_', '-')) || named.includes(plain) ? [] : [name, value]
  })
}

const valuesOf = (fields: readonly string[], wanted: string): string[] =>
  pairsOf(fields).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []))

const pairsOf = (fields: readonly string[]): [string, string][] =>
  Array.from({ length: fields.length / 2 }, (_, index) => [fields[2 * index]!, fields[2 * index + 1]!])

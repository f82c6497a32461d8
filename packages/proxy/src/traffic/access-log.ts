import type { ExchangeRecord } from './exchange-record.ts'

/** Takes whole lines, each with its line end; never blocks, never fails. */
export interface LineSink {
  write(line: string): void
}

/** Bytes of a log line at most, its end included: POSIX lets the writers of one pipe interleave only what is over PIPE_BUF. */
export const longestLine = 4096

/**
 * Writes one JSON line of ASCII for each exchange, whatever bytes its client sent; `session` is the id `sticky-cli sessions show`
 * takes. Texts are cut where a line would not fit.
 */
export function accessLog(destination: LineSink, node: string): (record: ExchangeRecord) => void {
  const head = `"level":"info","node":${quoted(node, 64)},"msg":"exchange"`
  return (record) => {
    const line = lineOf(record, head, 1024)
    destination.write(line.length <= longestLine ? line : lineOf(record, head, 100))
  }
}

function lineOf(record: ExchangeRecord, head: string, longestText: number): string {
  return (
    `{"time":"${time(record.started)}",${head},"request_id":${quoted(record.requestId, 64)}` +
    `,"client":${quoted(record.client, 64)},"method":${quoted(record.method, 32)}` +
    `,"host":${quoted(record.host, Math.min(255, longestText))},"path":${quoted(withoutValues(record.path), longestText)}` +
    `,"status":${record.status},"bytes":${record.bytesSent},"bytes_received":${record.bytesReceived}` +
    `,"duration_ms":${milliseconds(record.duration)}` +
    (record.upstreamDuration === undefined ? '' : `,"upstream_ms":${milliseconds(record.upstreamDuration)}`) +
    (record.queued === undefined ? '' : `,"queue_ms":${milliseconds(record.queued)}`) +
    optional('pool', record.pool) +
    optional('backend', record.backend) +
    (record.route === undefined ? '' : `,"route":${record.route}`) +
    `,"retries":${record.retries}` +
    optional('session', record.session) +
    `,"persist":"${record.persistence}"` +
    optional('refusal', record.refusal) +
    (record.tunnel ? ',"tunnel":true}\n' : '}\n')
  )
}

/** A session's id may be a parameter of a path, as `;jsessionid` is: names stay, values do not. */
function withoutValues(path: string): string {
  return path.includes(';') ? path.replace(/(;[^=;/]*)=[^;/]*/g, '$1') : path
}

let second = Number.NaN
let upToSecond = ''

/** RFC 3339. A date is made once a second: it costs as much as the rest of a line. */
function time(started: number): string {
  const now = Math.floor(started / 1000)
  if (now !== second) upToSecond = new Date(now * 1000).toISOString().slice(0, -4)
  second = now
  return `${upToSecond}${String(Math.floor(started - now * 1000)).padStart(3, '0')}Z`
}

function optional(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value, 64)}`
}

function milliseconds(duration: number): number {
  return Math.round(duration * 1000) / 1000
}

function quoted(text: string, longest: number): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text
  return plain.test(cut) ? `"${cut}"` : inAscii(JSON.stringify(cut))
}

// What JSON has no need to escape.
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** The same JSON in ASCII alone: NEL and the like end a line for some readers. */
export function inAscii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

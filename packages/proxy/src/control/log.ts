import type { Milliseconds } from '@sticky/store'
import { pino } from 'pino'

import { inAscii, type LineSink, longestLine } from '../traffic/access-log.ts'

/** Facts about the node's own life, one JSON line each: fields, and a constant event in the past tense. */
export interface Log {
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
}

/** A process's way to its log. Disposing it writes what is batched; what is told it later is lost. */
export interface LogOutput extends AsyncDisposable {
  readonly log: Log
  /** For lines made elsewhere, such as the access log's. Batched: they leave within a second. */
  readonly lines: LineSink
  /** Writes what is batched while the process is failing and cannot wait. */
  flush(): void
}

// Several workers share one stdout; whole lines up to this many bytes in one write stay whole, whatever the reader is.
const batch = { minLength: longestLine - 1024, maxWrite: longestLine, maxLength: 8 << 20 }

const longestWait: Milliseconds = 500

/** Opens the log on a file descriptor, stdout by default. When its reader stalls, lines beyond 8 MiB are dropped rather than kept. */
export function openLog(options: { readonly node: string; readonly fd?: number | undefined }): LogOutput {
  const destination = pino.destination({ dest: options.fd ?? 1, sync: false, ...batch })
  // Without a listener a full disk or a reader that left would end the process.
  const broken = new Promise<void>((resolve) => destination.on('error', () => resolve()))
  const timer = setInterval(() => destination.flush(), longestWait).unref()
  let open = true
  const write = (line: string): void => {
    if (open) destination.write(line)
  }
  const writeSoon = (line: string): void => {
    write(fitting(line))
    if (open) destination.flush()
  }
  return {
    log: pino(logOptions(options.node), { write: writeSoon }),
    lines: { write },
    flush: () => flushQuietly(destination),
    async [Symbol.asyncDispose]() {
      open = false
      clearInterval(timer)
      // Not closed: the descriptor is whoever's it was.
      await Promise.race([new Promise((resolve) => destination.flush(resolve)), broken])
      flushQuietly(destination)
    },
  }
}

function logOptions(node: string): object {
  return {
    base: { node, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
    serializers: { err: describeError },
  }
}

/** Whatever an event tells, of backends and scripts too, is one line for every reader, and short enough to stay whole. */
function fitting(line: string): string {
  const whole = `${inAscii(line.trimEnd())}\n`
  if (whole.length <= longestLine) return whole
  const shorter = [300, 100, 30].map((longest) => `${inAscii(shortened(line, longest))}\n`)
  return shorter.find((candidate) => candidate.length <= longestLine) ?? shorter.at(-1)!
}

const mostListed = 20

function shortened(line: string, longest: number): string {
  return JSON.stringify(JSON.parse(line), (_, value: unknown) => {
    if (typeof value === 'string') return clip(value, longest)
    if (!Array.isArray(value) || value.length <= mostListed) return value
    return [...value.slice(0, mostListed), `… and ${value.length - mostListed} more`]
  })
}

// A stack may be of any length, and a line may not.
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: clip(String(error), 500) }
  const cause = error.cause === undefined ? {} : { cause: clip(String(error.cause), 500) }
  return { type: error.name, message: clip(error.message, 500), stack: clip(error.stack ?? '', 1500), ...cause }
}

function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

function flushQuietly(destination: { flushSync(): void }): void {
  try {
    destination.flushSync()
  } catch {
    // The reader is gone, or the descriptor was never opened: nobody is left to be told.
  }
}

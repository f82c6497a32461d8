import { type Acknowledged, AdminProblem, type ProblemCode } from '@sticky/proxy/admin-api'

/** What `sticky-cli` ends with. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  notInTime: 5,
  interrupted: 130,
} as const

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A command could not do its work: one sentence for people and an exit code for scripts. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.exitCode = exitCode
  }
}

/** Every other problem ends with `failed`. */
const problemExitCodes: Partial<Record<ProblemCode, ExitCode>> = {
  'no-such-session': exitCodes.notFound,
  'no-such-pool': exitCodes.notFound,
  'no-such-backend': exitCodes.notFound,
  'invalid-request': exitCodes.usage,
  'ambiguous-session': exitCodes.usage,
  'ambiguous-backend': exitCodes.usage,
}

const remedies: Partial<Record<ProblemCode, string>> = {
  unauthorized: ' (set STICKY_ADMIN_TOKEN or give --token-file)',
  'ambiguous-session': ' with --pool',
  'ambiguous-backend': ' with --pool',
}

/** Whatever a command threw, as the failure to report. */
export function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  if (!(error instanceof AdminProblem)) return new CommandFailure(exitCodes.failed, String(error), { cause: error })
  const exitCode = problemExitCodes[error.code] ?? exitCodes.failed
  return new CommandFailure(exitCode, `${error.message}${remedies[error.code] ?? ''}`, { cause: error })
}

/** The failure of a command whose session does not live. */
export function noSuchSession(id: string): CommandFailure {
  return new CommandFailure(exitCodes.notFound, `no live session has the id ${id}`)
}

/** May the same be asked again with better luck: is the node or its store only away? */
export function isPassing(error: unknown): boolean {
  if (error instanceof CommandFailure)
    return error.exitCode === exitCodes.unreachable || error.exitCode === exitCodes.failed
  return error instanceof Error && 'code' in error && (error.code === 'store-unavailable' || error.code === 'not-ready')
}

/** Says what was done, but not everywhere in time; nothing when all live nodes have said that it is in force there. */
export function demandAcknowledged(what: string, { unacknowledged }: Acknowledged): void {
  if (unacknowledged.length === 0) return
  throw new CommandFailure(exitCodes.notInTime, `${what}, but ${notInForceOn(unacknowledged)}`)
}

/** What is known of nodes that have not acknowledged a change: they may be slow, gone, or cut off from the store. */
export function notInForceOn(nodes: readonly string[]): string {
  const when = `sticky-cli nodes tells when ${nodes.length === 1 ? 'it was' : 'they were'} last heard of`
  return `not every worker of ${nodes.join(', ')} has said in time that this is in force there; ${when}`
}

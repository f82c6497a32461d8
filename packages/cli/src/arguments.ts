import type { BulkMove, HeaderField } from '@sticky/proxy/admin-api'
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import { parseAdminAddress } from './admin-address.ts'
import { drainBackend } from './backend-drain.ts'
import { type BackendName, listBackends, setState, setWeight } from './backends.ts'
import type { CommandContext } from './command-context.ts'
import { printCompletion, type Shell, shells } from './completion.ts'
import { listCookies } from './cookies.ts'
import { explain } from './explain.ts'
import { CommandFailure, type ExitCode, exitCodes } from './failures.ts'
import { showLoad } from './load.ts'
import { type Kind, kinds, printNames } from './names.ts'
import { listNodes } from './nodes.ts'
import { reload, restartWorkers } from './reload.ts'
import { countSessions } from './session-count.ts'
import { moveSession, moveSessions } from './session-moves.ts'
import { watchSessions } from './session-watch.ts'
import { endSession, findSessions, listSessions, showSession } from './sessions.ts'
import { parseDuration } from './times.ts'
import { printVersion } from './version.ts'

/** The options every command takes. */
export interface GlobalOptions {
  readonly admin: string
  readonly tokenFile?: string
  readonly json?: true
  readonly output: 'text' | 'json'
  readonly color: boolean
}

/** Runs a command's work with what the global options ask for. */
export type Run = (options: GlobalOptions, work: (context: CommandContext) => Promise<void>) => Promise<void>

const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 admin API out of reach,
            5 not met in time, 130 interrupted.`

/** Every command and option of `sticky-cli`. */
export function createProgram(defaultAdmin: string, run: Run): Command {
  const program = new Command('sticky-cli')
    .description('Who lives where: the sessions of every Sticky node, from any one of them.')
    .option(
      '--admin <url>',
      'admin API of any node, http://host:port or unix:/path (STICKY_ADMIN)',
      adminUrl,
      defaultAdmin,
    )
    .option('--token-file <path>', 'file with the bearer token; otherwise STICKY_ADMIN_TOKEN')
    .option('--json', 'JSON for programs: lines for list and watch, else one object')
    .addOption(
      new Option('-o, --output <format>', 'the same by another name').choices(['text', 'json']).default('text'),
    )
    .option('--no-color', 'no bold titles (NO_COLOR)')
    .showSuggestionAfterError()
    .addHelpText('after', exitCodeHelp)
  const act = (work: (context: CommandContext) => Promise<void>) => run(program.opts<GlobalOptions>(), work)
  addSessions(program, act)
  addTables(program, act)
  addBackends(program, act)
  addNodes(program, act)
  addExplain(program, act)
  addCompletion(program, act)
  program
    .command('version')
    .description('the version of this program')
    .action(() => act(printVersion))
  return program
}

type Act = (work: (context: CommandContext) => Promise<void>) => Promise<void>

function addSessions(program: Command, act: Act): void {
  const sessions = program
    .command('sessions')
    .description('list, show, count, watch, move and end sessions')
    .addHelpText('after', '\nWithout a command, sessions lists and takes the options of list.')
  sessions
    .command('list', { isDefault: true })
    .description('live sessions, as they come (the default)')
    .option('--pool <pool>', 'only this pool')
    .option('--backend <backend>', 'only sessions that live there')
    .option('--idle-gt <duration>', 'only sessions idle for longer, such as 5m', duration)
    .option('--limit <n>', 'at most so many', positive)
    .allowExcessArguments()
    .action(({ idleGt, ...query }, { args: [word] }: Command) => {
      if (word !== undefined) throw new CommandFailure(exitCodes.usage, `sessions has no command '${word}'`)
      return act((context) => listSessions(context, { ...query, idleGt: idleGt && idleGt / 1000 }))
    })
  sessions
    .command('show')
    .description('one session, by its id or by what its client presents')
    .argument('[id]', 'as listed, or `session` of the access log')
    .option('--cookie <name=value>', 'as in the Cookie field', cookie)
    .option('--pool <pool>', 'only this pool')
    .action((id: string | undefined, { cookie, pool }) => act((context) => show(context, id, cookie, pool)))
  sessions
    .command('count')
    .description('live sessions by pool and backend, exact')
    .option('--pool <pool>', 'only this pool')
    .option('--backend <backend>', 'only sessions that live there')
    .action((query) => act((context) => countSessions(context, query)))
  sessions
    .command('watch')
    .description('what begins, moves and ends, until Ctrl-C')
    .option('--pool <pool>', 'only this pool')
    .option('--backend <backend>', 'only what concerns this backend')
    .option('--interval <duration>', 'between two looks', duration, 1_000)
    .option('--max <n>', 'with more sessions than this, watch counts', positive, 100_000)
    .action((query) => act((context) => watchSessions(context, query)))
  sessions
    .command('move')
    .description('give a session, or those of a backend, another home on every node')
    .argument('[id]', 'as listed; otherwise --from')
    .option('--to <backend>', 'their new home; without it those of a backend are spread over the others')
    .option(
      '--from <pool/backend>',
      'the sessions that live there; the backend alone will do where one pool has it',
      backendOrId,
    )
    .option('--pool <pool>', 'their pool, if several have such an id')
    .option('--if-version <n>', 'only if the session still has that version, as `sessions show` tells it', version)
    .option('--idle-gt <duration>', 'only sessions idle for longer, such as 5m', duration)
    .option('--limit <n>', 'at most so many', positive)
    .option('--rate <n>', 'sessions a second, at most; 500', rate)
    .option('--close', 'close their open WebSockets, with code 1012')
    .option('--dry-run', 'move nothing, only tell what would move')
    .action((id: string | undefined, options: MoveOptions) => act((context) => move(context, id, options)))
  sessions
    .command('end')
    .description('end a session on every node')
    .argument('<id>', 'as listed')
    .option('--pool <pool>', 'its pool, if several have this id')
    .option('--close', 'close its open WebSockets, with code 1012')
    .action((id: string, query) => act((context) => endSession(context, id, query)))
}

function addTables(program: Command, act: Act): void {
  program
    .command('cookies')
    .description("the application's cookies of a session")
    .argument('<id>', 'of the session')
    .option('--pool <pool>', 'its pool, if several have this id')
    .action((id: string, query) => act((context) => listCookies(context, id, query)))
  program
    .command('load')
    .description('exchanges in flight by backend')
    .option('--pool <pool>', 'only this pool')
    .action((query) => act((context) => showLoad(context, query)))
}

function addBackends(program: Command, act: Act): void {
  const backends = program
    .command('backends')
    .description('list backends, drain them, take them in and out, weigh them')
    .addHelpText('after', '\nWithout a command, backends lists and takes the options of list.')
  const named = (command: string, description: string): Command =>
    backends.command(command).description(description).argument('<pool/backend>', 'as listed', backendName)
  backends
    .command('list', { isDefault: true })
    .description('the configured backends and what they carry (the default)')
    .option('--pool <pool>', 'only this pool')
    .allowExcessArguments()
    .action((query, { args: [word] }: Command) => {
      if (word !== undefined) throw new CommandFailure(exitCodes.usage, `backends has no command '${word}'`)
      return act((context) => listBackends(context, query))
    })
  named('drain', 'let a backend keep its sessions and get no newcomers, on every node')
    .option('--timeout <duration>', 'wait so long until it is empty', duration)
    .addOption(
      new Option('--then <what>', 'what becomes of its sessions when the time is up').choices(['move', 'wait', 'end']),
    )
    .option('--watch', 'show what is left until it is empty')
    .option('--interval <duration>', 'between two looks', duration, 1_000)
    .action((name: BackendName, terms) => act((context) => drainBackend(context, name, terms)))
  named('ready', 'let a backend get newcomers again, on every node').action((name: BackendName) =>
    act((context) => setState(context, name, 'ready')),
  )
  named('maint', 'send a backend nothing at all, on every node').action((name: BackendName) =>
    act((context) => setState(context, name, 'maint')),
  )
  named('weight', 'weigh a backend otherwise than configured, on every node')
    .argument('<weight>', 'a whole number to 1000; 0 as `drain`, `configured` as its file says', weight)
    .action((name: BackendName, weight: number | null) => act((context) => setWeight(context, name, weight)))
}

function addNodes(program: Command, act: Act): void {
  const nodes = program
    .command('nodes')
    .description('list the nodes, replace the workers of one')
    .addHelpText('after', '\nWithout a command, nodes lists.')
  nodes
    .command('list', { isDefault: true })
    .description('the live nodes, and whether their configurations agree (the default)')
    .allowExcessArguments()
    .action((_, { args: [word] }: Command) => {
      if (word !== undefined) throw new CommandFailure(exitCodes.usage, `nodes has no command '${word}'`)
      return act(listNodes)
    })
  nodes
    .command('restart')
    .description('replace the workers of the node that answers, one after the other')
    .option('--node <node>', 'fail if another one answers')
    .action((query) => act((context) => restartWorkers(context, query)))
  program
    .command('reload')
    .description('let the node that answers read its configuration anew')
    .action(() => act(reload))
}

function addCompletion(program: Command, act: Act): void {
  program
    .command('completion')
    .description('a script by which a shell completes the commands of this program')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .action((shell: Shell) => act(({ output }) => printCompletion(output, program, shell)))
  program
    .command('names')
    .description('what there is of a kind by name, one a line, as completion offers it')
    .addArgument(new Argument('<kind>', 'which').choices(kinds))
    .action((kind: Kind) => act((context) => printNames(context, kind)))
}

function addExplain(program: Command, act: Act): void {
  program
    .command('explain')
    .description('what would become of a request, and why; changes nothing')
    .argument('<url>', 'http://host/path, https:// for one over TLS')
    .option('-X, --method <method>', 'instead of GET')
    .option('-H, --header <field>', 'a header field, `Name: value`; may be repeated', field, [])
    .option('--cookie <pairs>', 'the Cookie field, `name=value; …`', cookie)
    .option('--client <address>', 'who connects; otherwise 127.0.0.1')
    .option('--response-header <field>', 'of the answer it is to get; may be repeated', field, [])
    .action((url: string, { header: headers, responseHeader: responseHeaders, ...question }) =>
      act((context) => explain(context, { url, headers, responseHeaders, ...question })),
    )
}

async function show(context: CommandContext, id?: string, cookie?: string, pool?: string): Promise<void> {
  if (id !== undefined && cookie === undefined) return await showSession(context, id, { pool })
  if (id === undefined && cookie !== undefined) return await findSessions(context, { cookie, pool })
  throw new CommandFailure(exitCodes.usage, 'sessions show takes either an id or --cookie NAME=VALUE')
}

interface MoveOptions extends Omit<BulkMove, 'from' | 'reason'> {
  readonly from?: string
  readonly ifVersion?: number
}

async function move(context: CommandContext, id: string | undefined, options: MoveOptions): Promise<void> {
  const { from, to, pool, ifVersion, close, dryRun, idleGt, ...bulk } = options
  const isOfMany = [from, idleGt, ...Object.values(bulk)].some((option) => option !== undefined)
  if (id !== undefined && to !== undefined && !isOfMany)
    return await moveSession(context, id, { backend: to, ifVersion, close, dryRun }, { pool })
  if (id !== undefined && isOfMany && from === undefined)
    throw new CommandFailure(exitCodes.usage, '--idle-gt, --limit and --rate go with --from, not with an id')
  if (id !== undefined || from === undefined || ifVersion !== undefined)
    throw new CommandFailure(exitCodes.usage, 'sessions move takes either an id and --to, or --from')
  const [backend, inPool] = from.split('/').toReversed() as [string, string | undefined]
  const seconds = idleGt && idleGt / 1000
  await moveSessions(context, { ...bulk, from: backend, to, pool: inPool ?? pool, close, dryRun, idleGt: seconds })
}

function backendName(text: string): BackendName {
  const [, pool, backend] = /^([^/]+)\/([^/]+)$/.exec(text) ?? []
  if (pool === undefined || backend === undefined) throw new InvalidArgumentError('It must be POOL/BACKEND.')
  return { pool, backend }
}

function backendOrId(text: string): string {
  if (!/^([^/]+\/)?[^/]+$/.test(text)) throw new InvalidArgumentError('It must be BACKEND or POOL/BACKEND.')
  return text
}

function weight(text: string): number | null {
  if (text === 'configured') return null
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1000)
    throw new InvalidArgumentError('It must be a whole number to 1000, or `configured`.')
  return Number(text)
}

function version(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('It must be a version as `sessions show` tells it.')
  return Number(text)
}

function rate(text: string): number {
  return positive(text.replace(/\/s$/, ''))
}

function adminUrl(text: string): string {
  if (!parseAdminAddress(text)) throw new InvalidArgumentError('It must be http://host:port or unix:/path.')
  return text
}

function duration(text: string): number {
  const parsed = parseDuration(text)
  if (parsed === undefined) throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 1h30m.')
  return parsed
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a positive whole number.')
  return Number(text)
}

function cookie(text: string): string {
  if (text.indexOf('=') < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return text
}

function field(text: string, before: readonly HeaderField[]): readonly HeaderField[] {
  const colon = text.indexOf(':')
  if (colon < 1) throw new InvalidArgumentError('It must be `Name: value`.')
  return [...before, [text.slice(0, colon), text.slice(colon + 1).trim()]]
}

/** The exit code commander's own endings deserve; undefined for what is not commander's. */
export function usageExitCode(error: unknown): ExitCode | undefined {
  if (!(error instanceof CommanderError)) return undefined
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}

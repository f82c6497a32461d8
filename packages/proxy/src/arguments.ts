import { Command, CommanderError } from 'commander'

import type { Overrides } from './config/overrides.ts'

/** What the command line asks for. */
export type Order =
  | { readonly command: 'run' | 'check'; readonly file: string; readonly overrides: Overrides }
  | { readonly command: 'print'; readonly file: string; readonly overrides: Overrides; readonly effective: boolean }
  | { readonly command: 'convert'; readonly file: string; readonly routeMatch: string | undefined }
  | { readonly command: 'schema' }
  | { readonly command: 'version' }
  | { readonly command: 'end'; readonly exitCode: number }

/** How the process ends. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** Reads the arguments; help and mistakes in them are written here, and all that is left is to end. */
export function readArguments(argv: readonly string[]): Order {
  let order: Order = { command: 'end', exitCode: exitCodes.usage }
  const program = createProgram((given) => {
    order = given
  })
  try {
    program.parse(argv, { from: 'user' })
    return order
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { command: 'end', exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage }
  }
}

const exitCodeHelp = '\nExit codes: 0 done, 1 invalid configuration or failed start, 2 wrong usage.'

function createProgram(give: (order: Order) => void): Command {
  const program = new Command('sticky-proxy')
    .description('An HTTP load balancer that keeps sessions where they live, on many nodes at once.')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', exitCodeHelp)
  addConfigured(program, 'run', 'serve until SIGTERM or SIGINT', give)
  addConfigured(program, 'check', 'tell every mistake in a configuration', give)
  addPrint(program, give)
  addConvert(program, give)
  program
    .command('schema')
    .description('print a JSON Schema of the configuration, for editors')
    .action(() => give({ command: 'schema' }))
  program
    .command('version')
    .description("print this program's version")
    .action(() => give({ command: 'version' }))
  return program
}

function addConfigured(
  program: Command,
  command: 'run' | 'check',
  description: string,
  give: (order: Order) => void,
): void {
  configured(program.command(command))
    .description(description)
    .action(({ config, ...overrides }: Configured) => give({ command, file: config, overrides }))
}

function addPrint(program: Command, give: (order: Order) => void): void {
  const config = program.command('config').description('look at a configuration')
  configured(config.command('print'))
    .description('print a configuration as YAML, without its secrets')
    .option('--effective', 'with presets expanded and every default written out', false)
    .action(({ config: file, effective, ...overrides }: Configured & { effective: boolean }) =>
      give({ command: 'print', file, overrides, effective }),
    )
}

function addConvert(program: Command, give: (order: Order) => void): void {
  program
    .command('convert')
    .description("print WebSphere's plugin-cfg.xml as a configuration in YAML")
    .argument('<file>', 'the plugin-cfg.xml')
    .option(...routeMatch)
    .action((file: string, options: Pick<Overrides, 'routeMatch'>) =>
      give({ command: 'convert', file, routeMatch: options.routeMatch }),
    )
}

const routeMatch = ['--route-match <order>', 'instead of routeMatch: first, best or bottom-up'] as const

type Configured = { config: string } & Overrides

function configured(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration', 'sticky.yaml')
    .option('--node-id <id>', 'instead of node.id')
    .option('--listen <address>', 'instead of the first listener; repeat it for the next', collect)
    .option('--admin <address>', 'instead of admin.address')
    .option('--store <url>', 'instead of store.url')
    .option(...routeMatch)
}

function collect(address: string, before: readonly string[] = []): string[] {
  return [...before, address]
}

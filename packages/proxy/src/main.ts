#!/usr/bin/env node
import { exitCodes, type Order, readArguments } from './arguments.ts'
import { ConfigErrors, type PlacedMistake, showWarning } from './config/config-errors.ts'
import { readConfig } from './config/load.ts'
import { convertFile } from './config/plugin-cfg/convert-file.ts'
import { printConfig } from './config/print.ts'
import { jsonSchema } from './config/schema.ts'
import { StartFailure } from './control/start-failure.ts'
import { version } from './version.ts'

// The reader has seen enough, as `head` does: nothing is wrong, and nothing more is wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await carryOut(readArguments(argv))
  } catch (error) {
    if (!(error instanceof ConfigErrors || error instanceof StartFailure)) throw error
    process.stderr.write(`${error.message}\n`)
    return exitCodes.failed
  }
}

async function carryOut(order: Order): Promise<number> {
  if (order.command === 'end') return order.exitCode
  if (order.command === 'version') return print(version)
  if (order.command === 'schema') return print(JSON.stringify(jsonSchema(), undefined, 2))
  if (order.command === 'print') return printFile(order)
  if (order.command === 'convert') return printConverted(order)
  const read = () => readConfig(order.file, order.overrides)
  const { config, warnings } = read()
  warn(warnings)
  if (order.command === 'check') return print(`${order.file} is valid`)
  // Only here: what a node needs is loaded by nothing else.
  const { runNode } = await import('./control/run.ts')
  await runNode(config, { file: order.file, read: () => read().config })
  return exitCodes.ok
}

function printFile({ file, overrides, effective }: Extract<Order, { command: 'print' }>): number {
  process.stdout.write(printConfig(file, effective ? 'effective' : 'written', overrides))
  return exitCodes.ok
}

function printConverted({ file, routeMatch }: Extract<Order, { command: 'convert' }>): number {
  const { yaml, warnings } = convertFile(file, routeMatch)
  warn(warnings)
  process.stdout.write(yaml)
  return exitCodes.ok
}

function warn(warnings: readonly PlacedMistake[]): void {
  for (const warning of warnings) process.stderr.write(`${showWarning(warning)}\n`)
}

function print(line: string): number {
  process.stdout.write(`${line}\n`)
  return exitCodes.ok
}

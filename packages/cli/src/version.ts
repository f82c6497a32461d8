import { readFileSync } from 'node:fs'

import { apiVersion } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument } from './output.ts'

/** `sticky-cli version`: the version of this program, not of the nodes. */
export async function printVersion({ output }: Pick<CommandContext, 'output'>): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  await printDocument(output, { apiVersion, version }, () => `sticky-cli ${version}\n`)
}

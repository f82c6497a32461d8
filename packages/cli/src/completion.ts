import { bashCompletion } from './completion-bash.ts'
import { fishCompletion } from './completion-fish.ts'
import { type CommandTree, type Place, placesOf } from './completion-places.ts'
import { zshCompletion } from './completion-zsh.ts'
import type { Output } from './output.ts'

/** A shell that completes. */
export type Shell = 'bash' | 'zsh' | 'fish'

/** The shells for which there is a script. */
export const shells: readonly Shell[] = ['bash', 'zsh', 'fish']

const scripts: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** `sticky-cli completion`: a script by which that shell completes commands, options, their choices, and names. */
export async function printCompletion(output: Output, program: CommandTree, shell: Shell): Promise<void> {
  await output.print(scripts[shell](placesOf(program)))
}

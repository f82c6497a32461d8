import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Checkout } from './proxies/sticky.ts'

/** The checkout this bench is part of. */
export const here: Checkout = { folder: fileURLToPath(new URL('..', import.meta.url)), label: '' }

/** Another revision in a worktree of its own with its own dependencies, both gone when disposed. */
export function checkOut(revision: string, folder: string): Checkout & Disposable {
  const worktree = join(folder, 'worktree')
  const git = (...args: string[]) => execFileSync('git', ['-C', here.folder, ...args], { stdio: 'pipe' })
  // One that was interrupted left its entry behind.
  git('worktree', 'prune')
  git('worktree', 'add', '--detach', worktree, revision)
  // Both revisions run on the bench's own Node, so the worktree needs no scripts run and no Node of its own.
  const install = ['-y', 'pnpm@12', 'install', '--frozen-lockfile', '--ignore-scripts', '--prefer-offline']
  execFileSync('npx', install, { cwd: worktree, stdio: 'pipe' })
  return {
    folder: worktree,
    label: ` at ${revision}`,
    [Symbol.dispose]: () => void git('worktree', 'remove', '--force', worktree),
  }
}

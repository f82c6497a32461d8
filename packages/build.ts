/** `pnpm build`: compiles every package into its dist, then puts beside it what tsc leaves behind, such as the Lua files. */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = ['store', 'proxy', 'cli'].map((name) => fileURLToPath(new URL(name, import.meta.url)))

// A file whose source is gone would otherwise stay in dist, and so in the tarball.
for (const folder of packages) rmSync(`${folder}/dist`, { recursive: true, force: true })

const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
const compiled = spawnSync(tsc, ['-b', '--force', ...packages], { stdio: ['ignore', 2, 2] })
if (compiled.error) throw compiled.error
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

for (const folder of packages) cpSync(`${folder}/src`, `${folder}/dist`, { recursive: true, filter: isLeftBehind })

function isLeftBehind(path: string): boolean {
  return statSync(path).isDirectory() || !path.endsWith('.ts')
}

import { readFileSync } from 'node:fs'

/** This package's version, from its manifest: beside `src` and beside `dist`. */
export const version: string = manifest().version

function manifest(): { readonly version: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
}

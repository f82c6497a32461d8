import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A Lua file as Redis runs it. Keys come from the caller, time from `redis.call('TIME')`. */
export interface Script {
  readonly name: string
  readonly lua: string
  readonly sha: string
}

/**
 * Reads `lua/<name>.lua`. Shared functions (`lua/<prelude>.lua`) go between the file's header and its first statement,
 * for Redis has no imports.
 */
export function loadScript(name: string, prelude?: string): Script {
  const source = luaFile(name)
  const lua = prelude === undefined ? source : splice(source, luaFile(prelude))
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') }
}

function luaFile(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}

/** A `#!lua` line only counts as the very first line. */
function splice(source: string, prelude: string): string {
  const firstLine = source.indexOf('\n') + 1
  return source.slice(0, firstLine) + prelude + source.slice(firstLine)
}

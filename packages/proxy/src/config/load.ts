import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { assemble } from './assemble.ts'
import type { Config } from './config.ts'
import { ConfigErrors, type PlacedMistake } from './config-errors.ts'
import { crossCheck } from './cross-checks.ts'
import { draftOf } from './draft.ts'
import { type FileContents, fileSchema } from './file-schema.ts'
import { type Mistake, type Path, showPath, valueAt } from './mistakes.ts'
import { type Overridden, type Overrides, override, overrideWritten } from './overrides.ts'
import { unusablePemFiles, withPemFiles } from './pem-files.ts'
import { readPluginCfg } from './plugin-cfg/source.ts'
import { withPresets } from './presets.ts'
import { schemaMistakes } from './schema-mistakes.ts'
import { unreadableScripts, withScriptFiles } from './scripts.ts'
import type { SecretSources } from './secrets.ts'
import { readSource, type Source } from './source.ts'

/** Reads a configuration file, checked whole and with its defaults; throws `ConfigErrors` with every mistake in it. */
export function loadConfig(path: string, overrides?: Overrides, environment?: SecretSources['environment']): Config {
  return readConfig(path, overrides, environment).config
}

/** A valid configuration file: what it says, and what that means. */
export interface ConfigFile {
  readonly config: Config
  /** As written, flags in place. */
  readonly written: unknown
  /** The same with its references resolved. */
  readonly data: unknown
  /** What a plugin-cfg.xml says that does not work here as it is written. */
  readonly warnings: readonly PlacedMistake[]
}

/** Reads a configuration file, for who wants to see it too; throws `ConfigErrors`. */
export function readConfig(
  path: string,
  overrides: Overrides = {},
  environment: SecretSources['environment'] = process.env,
): ConfigFile {
  return parseFile(readText(path), path, overrides, environment)
}

/** The same for a text that was read; `path` is what mistakes call it and where its relative paths start. */
export function parseConfig(
  text: string,
  path: string,
  overrides: Overrides,
  environment: SecretSources['environment'],
): Config {
  return parseFile(text, path, overrides, environment).config
}

/** The same for a text, for who wants to see it too; throws `ConfigErrors`. */
export function parseFile(
  text: string,
  path: string,
  overrides: Overrides,
  environment: SecretSources['environment'],
): ConfigFile {
  const sources = { environment, folder: dirname(path) }
  const { source, warnings } = read(text, path, overrides, sources)
  const overridden = override(source.data, overrides, sources)
  const { contents, mistakes } = examine(source, overridden, sources.folder)
  const placed = [
    ...source.syntax.map((mistake) => ({ ...mistake, source: path })),
    ...mistakes.map((mistake) => placeIn(path, source, overridden, mistake)),
  ]
  if (placed.length > 0 || !contents) throw new ConfigErrors(placed.sort(inFileOrder))
  const config = withPemFiles(withScriptFiles(assemble(contents), sources.folder), sources.folder)
  return { config, written: overrideWritten(source.written, overrides), data: overridden.data, warnings }
}

type Read = { source: Source; warnings: readonly PlacedMistake[] }

/** YAML, or a plugin-cfg.xml. */
function read(text: string, path: string, { routeMatch }: Overrides, sources: SecretSources): Read {
  if (!/\.xml$/i.test(path)) return { source: readSource(text, sources), warnings: [] }
  const { source, warnings } = readPluginCfg(text, routeMatch)
  return { source, warnings: warnings.map((warning) => ({ ...warning, source: path, path: [] })) }
}

/** A configuration file's text; throws `ConfigErrors`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const problem = code === 'ENOENT' ? 'no such file; name another with --config' : `cannot be read (${code})`
    throw new ConfigErrors([{ source: path, place: undefined, path: [], problem }])
  }
}

interface Examination {
  /** Undefined if the schema objects. */
  readonly contents: FileContents | undefined
  readonly mistakes: readonly Mistake[]
}

function examine(source: Source, overridden: Overridden, folder: string): Examination {
  if (source.data === undefined) return { contents: undefined, mistakes: [] }
  const data = withPresets(overridden.data)
  const unresolved = [...source.unresolved.filter(({ path }) => !overridden.flagOf(path)), ...overridden.unresolved]
  const parsed = fileSchema.safeParse(data)
  const issues = schemaMistakes(parsed.error?.issues ?? [], data)
  const invalid = [...unresolved, ...issues].map(({ path }) => path)
  const draft = draftOf(data, invalid)
  const mistakes = without(unresolved, [
    ...issues,
    ...crossCheck(draft),
    ...unreadableScripts(draft, folder),
    ...unusablePemFiles(draft, folder),
  ])
  const isSecret = ({ path }: Mistake) =>
    source.isReferenced(path) || overridden.isReferenced(path) || isSensitive(path, valueAt(data, path))
  const discreet = mistakes.map((mistake) => (isSecret(mistake) ? { ...mistake, detail: undefined } : mistake))
  return { contents: parsed.data, mistakes: [...unresolved, ...discreet] }
}

/** What a reference that leads nowhere stands for is unknown, so nothing more can be said about it. */
function without(unresolved: readonly Mistake[], mistakes: readonly Mistake[]): Mistake[] {
  const paths = new Set(unresolved.map(({ path }) => showPath(path)))
  return mistakes.filter(({ path }) => !paths.has(showPath(path)))
}

/** Secrets may stand in the file itself, and passwords in URLs. */
function isSensitive(path: Path, value: unknown): boolean {
  const secret = path[0] === 'secrets' || ['store.url', 'admin.token'].includes(showPath(path))
  return secret || (typeof value === 'string' && value.includes('@'))
}

function placeIn(file: string, source: Source, overridden: Overridden, mistake: Mistake): PlacedMistake {
  const flag = overridden.flagOf(mistake.path)
  if (flag) return { ...mistake, path: [], source: flag, place: undefined }
  return { ...mistake, source: file, place: source.place(mistake.path, mistake.atKey) }
}

function inFileOrder({ place: a }: PlacedMistake, { place: b }: PlacedMistake): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0)
}

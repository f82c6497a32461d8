import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { Flaw } from './flaw.ts'

/** Where secrets come from. */
export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What relative paths of `file:` start from: the configuration file's folder. */
  readonly folder: string
}

/** Does the text ask for a value from elsewhere, `${NAME}` or `file:PATH`, or quote a `$`? */
export function isReference(text: string): boolean {
  return text.startsWith('file:') || text.includes('${')
}

/** The text with each `${NAME}` replaced, then `file:PATH` by that file's contents; `$${` stands for `${`. */
export function resolveReferences(text: string, sources: SecretSources): string | Flaw {
  const flaws: Flaw[] = []
  const expanded = text.replace(/\$?\$\{([^}]*)\}?/g, (reference, name: string) => {
    if (reference.startsWith('$$')) return reference.slice(1)
    const value = reference.endsWith('}') ? fromEnvironment(name, sources) : malformed
    if (!(value instanceof Flaw)) return value
    flaws.push(value)
    return ''
  })
  if (flaws[0]) return flaws[0]
  // A value that came out of the environment is never taken for a file's name.
  return text.startsWith('file:') ? fromFile(expanded.slice('file:'.length), sources) : expanded
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people are to write
const malformed = new Flaw('must name environment variables as ${NAME}; write $${ where ${ itself is meant')

function fromEnvironment(name: string, { environment }: SecretSources): string | Flaw {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return malformed
  return environment[name] ?? new Flaw(`needs the environment variable ${name}, which is not set`)
}

function fromFile(path: string, { folder }: SecretSources): string | Flaw {
  try {
    return readFileSync(resolve(folder, path), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    return new Flaw(`needs the file ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

import { basename } from 'node:path'

import { ConfigErrors, type PlacedMistake } from '../config-errors.ts'
import { parseFile, readText } from '../load.ts'
import { type Conversion, convert } from './convert.ts'
import { printYaml } from './print.ts'

/** A plugin-cfg.xml as a YAML file, which is valid, and what does not work here as the XML has it. */
export interface ConvertedFile {
  readonly yaml: string
  readonly warnings: readonly PlacedMistake[]
}

/** Converts a plugin-cfg.xml; throws `ConfigErrors` if it is none, or what it says can not be run. */
export function convertFile(path: string, routeMatch?: string): ConvertedFile {
  if (!/\.xml$/i.test(path)) {
    throw new ConfigErrors([{ source: path, place: undefined, path: [], problem: 'must be a file named *.xml' }])
  }
  const text = readText(path)
  const { warnings } = parseFile(text, path, { routeMatch }, {})
  // Faults of the XML were thrown just now.
  return { yaml: printYaml(convert(text, routeMatch) as Conversion, basename(path)), warnings }
}

import { Document, isCollection, isMap, isPair, isScalar, type Node } from 'yaml'

import type { Conversion } from './convert.ts'

// A reader of YAML takes a text with very many aliases for an attack.
const MOST_ALIASES = 100
const WIDEST = 140

/** The YAML file that a conversion stands for, with its warnings as comments; `file` is what they call the XML. */
export function printYaml({ contents, warnings, names }: Conversion, file: string): string {
  const aliasDuplicateObjects = contents.routes.length < MOST_ALIASES
  const document = new Document(contents, { aliasDuplicateObjects, anchorPrefix: 'group' })
  document.commentBefore = [
    ` Converted from ${file}. Of listen and store it says nothing: they are yours to add.`,
    ...warnings.map(({ place, problem }) => ` ${file}:${place.line}:${place.column}: ${problem}`),
  ].join('\n')
  nameClusters(document.get('pools', true), names)
  fold(document.contents)
  return document.toString({ lineWidth: 0 })
}

/** What a pool's id was made of, where it differs. */
function nameClusters(pools: unknown, names: ReadonlyMap<string, string>): void {
  if (!isMap(pools)) return
  for (const { key } of pools.items) {
    const name = isScalar(key) ? names.get(String(key.value)) : undefined
    if (name !== undefined) (key as Node).commentBefore = ` ServerCluster ${name}`
  }
}

/** Puts small maps and lists on one line each, but for the outermost; tells how wide that makes the node, or Infinity. */
function fold(node: unknown, depth = 0): number {
  if (isPair(node)) return fold(node.key) + fold(node.value, depth) + 2
  if (!isCollection(node)) return isScalar(node) ? String(node.value).length : 8
  const width = node.items.map((item) => fold(item, depth + 1)).reduce((sum, each) => sum + each + 2, 4)
  node.flow = (depth > 1 && width <= WIDEST) || node.items.length === 0
  return node.flow ? width : Number.POSITIVE_INFINITY
}

import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from 'yaml'

import type { Path } from './mistakes.ts'

/** The offset of what stands at the path: its value, or its key; where nothing does, of the innermost thing around it. */
export function locate(document: Document, path: Path, atKey: boolean): number {
  let innermost: Node | undefined = document.contents ?? undefined
  let found: Child = { key: undefined, value: innermost }
  for (const step of path) {
    found = childOf(document, found.value, step)
    innermost = found.key ?? found.value ?? innermost
  }
  const value = isEmpty(found.value) ? undefined : found.value
  const wanted = atKey ? (found.key ?? value) : (value ?? found.key)
  return (wanted ?? innermost)?.range?.[0] ?? 0
}

/** The value at the path, aliases followed; undefined where there is none. */
export function valueAt(document: Document, path: Path): Node | undefined {
  const start: Node | undefined = document.contents ?? undefined
  const value = path.reduce((node, step) => childOf(document, node, step).value, start)
  return isAlias(value) ? value.resolve(document) : value
}

/** The path of a node below these ancestors, as `visit` tells them. */
export function pathOf(ancestors: readonly unknown[], node: Node): Path {
  const line = [...ancestors, node]
  return line.flatMap((ancestor, depth): Path => {
    if (isPair(ancestor)) return [keyText(ancestor)]
    return isSeq(ancestor) ? [ancestor.items.indexOf(line[depth + 1])] : []
  })
}

interface Child {
  readonly key: Node | undefined
  readonly value: Node | undefined
}

function childOf(document: Document, parent: Node | undefined, step: string | number): Child {
  const inside = isAlias(parent) ? parent.resolve(document) : parent
  if (isSeq(inside)) return { key: undefined, value: inside.items[Number(step)] as Node | undefined }
  const pair = isMap(inside) ? inside.items.find((candidate) => keyText(candidate) === `${step}`) : undefined
  return { key: pair?.key as Node | undefined, value: (pair?.value ?? undefined) as Node | undefined }
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

/** Nothing after the colon. */
function isEmpty(node: Node | undefined): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === ''
}

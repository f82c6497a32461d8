import { type Document, type Node, visit } from 'yaml'

import { pathOf } from './document.ts'
import { Flaw } from './flaw.ts'
import type { Mistake } from './mistakes.ts'
import { isReference, resolveReferences, type SecretSources } from './secrets.ts'

/** What became of the references in a document. */
export interface References {
  /** The values that came from elsewhere. */
  readonly resolved: ReadonlySet<Node>
  readonly unresolved: readonly Mistake[]
}

/** Puts the values in place of all references of the document; keys are left alone. */
export function resolveDocument(document: Document, sources: SecretSources): References {
  const resolved = new Set<Node>()
  const unresolved: Mistake[] = []
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !isReference(node.value)) return
      const value = resolveReferences(node.value, sources)
      if (value instanceof Flaw) unresolved.push({ path: pathOf(ancestors, node), problem: value.problem })
      else node.value = value
      resolved.add(node)
    },
  })
  return { resolved, unresolved }
}

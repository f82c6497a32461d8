import type { Backend } from '../upstream/backend.ts'

/**
 * The candidates in the order in which they stand in for the home of the session with that id: the same on every node as long as
 * the candidates are, and each of them first for its share of the sessions, by weight.
 */
export function standIns(id: string, candidates: readonly Backend[]): Backend[] {
  const scored = candidates.map((backend) => ({ backend, score: score(id, backend) }))
  return scored.sort((one, other) => other.score - one.score).map(({ backend }) => backend)
}

/** Weighted rendezvous hashing: the highest of -weight / ln(uniform) wins in proportion to weight. */
function score(id: string, { id: backend, weight }: Backend): number {
  return -weight / Math.log((hash(`${id} ${backend}`) + 0.5) / 2 ** 32)
}

/** FNV-1a, its bits mixed by MurmurHash3's last step: ids are random or keyed fingerprints, so that nobody can aim. */
function hash(text: string): number {
  let mixed = 0x811c9dc5
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The candidate that was probably meant: at most a third of its letters wrong; undefined if none comes close. */
export function suggestion(written: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(written.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance)
  return ranked[0]?.candidate
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(written: string, candidates: readonly string[]): string {
  const meant = suggestion(written, candidates)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** Insertions, deletions, substitutions and swaps of neighbours between two words. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= a.length; row++) {
    rows.push([row])
    for (let column = 1; column <= b.length; column++) rows[row]!.push(cheapest(a, b, rows, row, column))
  }
  return rows[a.length]![b.length]!
}

function cheapest(a: string, b: string, rows: readonly number[][], row: number, column: number): number {
  const substitution = a[row - 1] === b[column - 1] ? 0 : 1
  const steps = [rows[row - 1]![column]! + 1, rows[row]![column - 1]! + 1, rows[row - 1]![column - 1]! + substitution]
  const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
  if (swapped) steps.push(rows[row - 2]![column - 2]! + 1)
  return Math.min(...steps)
}

import type { BulkMove, BulkProgress, PoolQuery, SessionMove } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { demandAcknowledged, noSuchSession } from './failures.ts'
import { jsonLine, printDocument } from './output.ts'

/** `sticky-cli sessions move ID`: gives a session another home on every node. */
export async function moveSession(
  { api, output }: CommandContext,
  id: string,
  move: SessionMove,
  query: PoolQuery,
): Promise<void> {
  const moved = await api.moveSession(id, move, query)
  if (moved === undefined) throw noSuchSession(id)
  const what = `session ${id} ${move.dryRun ? 'would live' : 'lives'} on ${move.backend}`
  await printDocument(output, moved, () => `${what}\n`)
  demandAcknowledged(what, moved)
}

/** `sticky-cli sessions move --from`: moves the sessions of a backend and tells how far it is. */
export async function moveSessions({ api, output }: CommandContext, move: BulkMove): Promise<void> {
  const { from, to, dryRun = false } = move
  const where = to === undefined ? `away from ${from}` : `from ${from} to ${to}`
  let last: BulkProgress | undefined
  for await (const progress of api.moveSessions(move)) {
    last = progress
    if (output.format === 'json') await output.print(jsonLine(progress))
    else if (!progress.done) output.note(`${progress.changed} sessions ${dryRun ? 'would move' : 'moved'} so far`)
  }
  if (last === undefined) return
  const what = `${last.changed} sessions ${dryRun ? 'would move' : 'moved'} ${where}`
  if (output.format === 'text') await output.print(`${what}${besides(last)}\n`)
  demandAcknowledged(what, last)
}

function besides({ skipped, gone }: BulkProgress): string {
  const rest = [skipped > 0 ? `${skipped} had moved by themselves` : '', gone > 0 ? `${gone} had ended` : '']
  const said = rest.filter((words) => words !== '').join(', ')
  return said === '' ? '' : `; ${said}`
}

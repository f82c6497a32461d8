import type { EndQuery, PoolQuery, SessionQuery, SessionResource, SessionSearch } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { CommandFailure, demandAcknowledged, exitCodes, noSuchSession } from './failures.ts'
import { jsonLine, printDocument } from './output.ts'
import { pages } from './pages.ts'
import { type Column, facts, Table } from './tables.ts'
import { type Clock, formatDuration, type Milliseconds, timeSince, timeUntil } from './times.ts'

const columns = (clock: Clock): readonly Column<SessionResource>[] => [
  { title: 'SESSION', value: ({ id }) => id },
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ backend }) => backend },
  { title: 'SOURCE', value: ({ source }) => source },
  { title: 'BEGAN', value: ({ created }) => timeSince(created, clock()), align: 'right' },
  { title: 'IDLE', value: ({ idle }) => formatDuration(idle * 1000), align: 'right' },
  { title: 'EXPIRES IN', value: ({ expires }) => timeUntil(expires, clock()), align: 'right' },
  { title: 'COOKIES', value: ({ cookies }) => cookies, align: 'right' },
]

const paging = { size: 200, patience: 250 }

/** `sticky-cli sessions list`: live sessions as they come; holds one page of them. */
export async function listSessions({ api, output, clock }: CommandContext, query: SessionQuery): Promise<void> {
  const listed = new Table(columns(clock), output.color)
  let any = false
  for await (const page of pages(api.sessions(query), paging)) {
    any = true
    await output.print(output.format === 'json' ? page.map(jsonLine).join('') : listed.page(page))
  }
  if (!any && output.format === 'text') output.note('no live sessions')
}

/** `sticky-cli sessions show ID`: one session. */
export async function showSession({ api, output, clock }: CommandContext, id: string, query: PoolQuery): Promise<void> {
  const session = await api.session(id, query)
  if (!session) throw noSuchSession(id)
  await printDocument(output, session, () => sessionFacts(session, clock()))
}

/** `sticky-cli sessions show --cookie NAME=VALUE`: the sessions a request with this cookie would be recognised as. */
export async function findSessions({ api, output, clock }: CommandContext, search: SessionSearch): Promise<void> {
  const found = await api.findSessions(search)
  if (found.sessions.length === 0)
    throw new CommandFailure(exitCodes.notFound, 'no live session is recognised by this cookie')
  await printDocument(output, found, () => found.sessions.map((session) => sessionFacts(session, clock())).join('\n'))
}

/** `sticky-cli sessions end ID`: ends a session on every node; its client is a newcomer from now on. */
export async function endSession({ api, output }: CommandContext, id: string, query: EndQuery): Promise<void> {
  const ended = await api.endSession(id, query)
  if (ended === undefined) throw noSuchSession(id)
  await printDocument(output, ended, () => `session ${id} ended\n`)
  demandAcknowledged(`session ${id} ended`, ended)
}

function sessionFacts(session: SessionResource, now: Milliseconds): string {
  return facts([
    ['session', session.id],
    ['pool', session.pool],
    ['backend', session.backend],
    ['version', session.version],
    ['source', session.source],
    ['began', `${session.created} (${timeSince(session.created, now)} ago)`],
    ['touched', `${session.touched} (${formatDuration(session.idle * 1000)} ago)`],
    ['age', formatDuration(session.age * 1000)],
    ['expires', `${session.expires} (in ${timeUntil(session.expires, now)})`],
    ['ends', endOf(session, now)],
    ['cookies', session.cookies],
  ])
}

function endOf({ ends, endsWithLastCookie }: SessionResource, now: Milliseconds): string {
  if (ends === null) return endsWithLastCookie ? 'with its last cookie' : 'never, while it is used'
  const moment = `${ends} (in ${timeUntil(ends, now)})`
  return endsWithLastCookie ? `${moment}, or with its last cookie` : moment
}

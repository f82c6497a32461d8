import type { CookieResource, PoolQuery } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { noSuchSession } from './failures.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'
import { type Clock, timeUntil } from './times.ts'

const columns = (clock: Clock): readonly Column<CookieResource>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'FINGERPRINT', value: ({ fingerprint }) => fingerprint },
  { title: 'EXPIRES IN', value: ({ expires }) => timeUntil(expires, clock()), align: 'right' },
  { title: 'ATTRIBUTES', value: ({ attributes }) => attributes },
]

/** `sticky-cli cookies ID`: the application's cookies of a session, each with its own age. */
export async function listCookies({ api, output, clock }: CommandContext, id: string, query: PoolQuery): Promise<void> {
  const list = await api.cookies(id, query)
  if (!list) throw noSuchSession(id)
  if (output.format === 'text' && list.cookies.length === 0)
    return output.note('the session has no application cookies')
  await printDocument(output, list, () => table(columns(clock), list.cookies, output.color))
}

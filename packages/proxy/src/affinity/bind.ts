import type { Row, SessionKey, SessionTable, Terms } from '@sticky/store'

/** Binds if the row still has the version `seen`, or has expired since; answers the row in force. */
export async function bindInForce(
  sessions: SessionTable,
  { key, seen }: { readonly key: SessionKey; readonly seen: number },
  backend: string,
  terms: Terms,
): Promise<Row> {
  const row = await sessions.bind(key, backend, seen, terms)
  return row.state === 'absent' && seen !== 0 ? sessions.bind(key, backend, 0, terms) : row
}

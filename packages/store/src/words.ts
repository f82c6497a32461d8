/**
 * Texts so common in rows that one byte stands for each: a row of a million counts a million times.
 *
 * A row keeps the position in this list, so the list only ever grows, to 16 at most.
 */
const words = [
  'session-cookie',
  'JSESSIONID',
  'connect.sid',
  'PHPSESSID',
  'ASP.NET_SessionId',
  '.AspNetCore.Session',
  'sessionid',
  '_session_id',
  'Path=/',
  'Path=/; HttpOnly',
  'Path=/; HttpOnly; Secure',
  'Path=/; Secure; HttpOnly',
  'Path=/; HttpOnly; SameSite=Lax',
  'Path=/; HttpOnly; Secure; SameSite=Lax',
  'Path=/; Secure; HttpOnly; SameSite=Lax',
]

const codes: ReadonlyMap<string, number> = new Map(words.map((word, i) => [word, i]))

/** The byte that stands for a word; every byte below it is the length of a text that follows. */
export const firstCode = 240

/** The byte that stands for the text, if it is such a word. */
export function codeOf(text: string): number | undefined {
  const code = codes.get(text)
  return code === undefined ? undefined : firstCode + code
}

/** The word a byte stands for; empty for one of a later release. */
export function wordOf(code: number): string {
  return words[code - firstCode] ?? ''
}

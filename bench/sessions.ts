import { writeFileSync } from 'node:fs'

import type { Path } from './pages.ts'
import { Visitor } from './visitor.ts'

const atOnce = 32

/** Begins this many sessions through the proxy and writes their Cookie values to a file, one a line, for wrk to rotate. */
export async function learnSessions(
  ports: readonly number[],
  count: number,
  file: string,
  path: Path = '/',
): Promise<string> {
  const cookies: string[] = []
  const begin = async () => {
    while (cookies.length < count) {
      const place = cookies.push('') - 1
      cookies[place] = await begunSession(ports[place % ports.length]!, path)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, begin))
  writeFileSync(file, `${cookies.join('\n')}\n`)
  return file
}

async function begunSession(port: number, path: Path): Promise<string> {
  const visitor = new Visitor()
  const verdict = await visitor.visit(port, path)
  if (verdict.kind !== 'right' || visitor.cookies === '')
    throw new Error(`port ${port} began no session: ${JSON.stringify(verdict)}`)
  return visitor.cookies
}

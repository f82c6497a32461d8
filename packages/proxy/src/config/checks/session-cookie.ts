import { defaults } from '../defaults.ts'
import { type DraftStrategy, isTakenOut } from '../draft.ts'
import type { Path, Report } from '../mistakes.ts'

/** What browsers demand of a cookie's attributes (RFC 6265bis); they drop a cookie that breaks a rule without a word. */
export function checkSessionCookie(cookie: DraftStrategy, path: Path, report: Report): void {
  for (const [key, breaks, problem] of rules) {
    if (breaks(cookie)) report([...path, key], problem)
  }
}

type Rule = readonly [key: keyof DraftStrategy, breaks: (cookie: DraftStrategy) => boolean, problem: string]

const rules: readonly Rule[] = [
  ['sameSite', (cookie) => cookie.sameSite === 'None' && isInsecure(cookie), 'needs secure: true when it is None'],
  ['partitioned', (cookie) => cookie.partitioned === true && isInsecure(cookie), 'needs secure: true'],
  ['prefix', (cookie) => isPrefixed(cookie) && isInsecure(cookie), 'needs secure: true; auto has it where it can be'],
  [
    'domain',
    (cookie) => cookie.prefix === 'host' && cookie.domain !== undefined,
    'must be left out with prefix: host, which allows none; or write prefix: secure',
  ],
  [
    'path',
    (cookie) => cookie.prefix === 'host' && (cookie.path ?? '/') !== '/',
    'must be / with prefix: host, which allows no other; or write prefix: secure',
  ],
  ['begin', (cookie) => beginsItself(cookie), 'must name cookies of the application; this one is our own'],
  ['recoverBy', (cookie) => recoversItself(cookie), 'must name cookies of the application; this one is our own'],
]

function isPrefixed({ prefix }: DraftStrategy): boolean {
  return prefix === 'host' || prefix === 'secure'
}

/** May it leave without Secure? */
function isInsecure(cookie: DraftStrategy): boolean {
  return cookie.secure !== true && !isTakenOut(cookie, 'secure')
}

function recoversItself(cookie: DraftStrategy): boolean {
  const { recoverBy, name = defaults.sessionCookie.name } = cookie
  return recoverBy?.includes(name) === true && !isTakenOut(cookie, 'name')
}

function beginsItself(cookie: DraftStrategy): boolean {
  const { begin, name = defaults.sessionCookie.name } = cookie
  return typeof begin === 'object' && begin.cookies?.includes(name) === true && !isTakenOut(cookie, 'name')
}

import { isIP } from 'node:net'

import { Flaw } from './flaw.ts'

/** What a range of addresses looks like, for people. */
export const cidrExpectation = 'must be a range such as 10.0.0.0/8, fd00::/8 or a single address'

/** A range of addresses in CIDR notation; a single address becomes the range of it alone. */
export function parseCidr(text: string): string | Flaw {
  const [address = '', prefix, ...rest] = text.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  const length = prefix === undefined ? longest : wholeNumber(prefix)
  const sound = rest.length === 0 && length >= 0 && length <= longest && !address.includes('%')
  return sound ? `${address}/${length}` : new Flaw(cidrExpectation)
}

function wholeNumber(digits: string): number {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN
}

import { isIP } from 'node:net'

/** How many bits of an address tell its network. */
export interface PrefixLengths {
  readonly ipv4: number
  readonly ipv6: number
}

/** The network an address is of, as text; an IPv4-mapped IPv6 address is the IPv4 address it is. Undefined for what is no address. */
export function networkOf(address: string, { ipv4, ipv6 }: PrefixLengths): string | undefined {
  const family = isIP(address)
  if (family === 0) return undefined
  if (family === 4) return ipv4 === 32 ? address : network(bytesOfIpv4(address), ipv4)
  const bytes = bytesOfIpv6(address)
  return isMapped(bytes) ? network(bytes.slice(12), ipv4) : network(bytes, ipv6)
}

/** Its first bits, and nothing of the others. */
function network(bytes: readonly number[], bits: number): string {
  const kept = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * index))))
  return bytes.length === 4 ? ipv4Text(kept) + suffix(bits, 32) : `${Buffer.from(kept).toString('hex')}/${bits}`
}

function ipv4Text(bytes: readonly number[]): string {
  return bytes.join('.')
}

/** A whole address is written as itself. */
function suffix(bits: number, whole: number): string {
  return bits === whole ? '' : `/${bits}`
}

function bytesOfIpv4(address: string): number[] {
  return address.split('.').map(Number)
}

function bytesOfIpv6(address: string): number[] {
  const [text] = address.split('%') as [string]
  const [before, after] = text.split('::') as [string, string | undefined]
  const head = bytesOfGroups(before)
  if (after === undefined) return head
  const tail = bytesOfGroups(after)
  return [...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail]
}

function bytesOfGroups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfIpv4(group)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff))
}

import { BlockList, isIP } from 'node:net'

/** A set of address ranges in CIDR notation, IPv4 and IPv6. */
export interface AddressRanges {
  readonly empty: boolean
  contains(address: string): boolean
}

/** Makes ranges of valid CIDRs; a bare address is a range of one. */
export function addressRanges(cidrs: readonly string[]): AddressRanges {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network, prefix] = cidr.split('/')
    const family = familyOf(network!)
    if (prefix === undefined) list.addAddress(network!, family)
    else list.addSubnet(network!, Number(prefix), family)
  }
  return {
    empty: cidrs.length === 0,
    contains: (address) => cidrs.length > 0 && isIP(address) !== 0 && list.check(address, familyOf(address)),
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

/** An IPv4 address that came over an IPv6 socket, as the IPv4 address it is. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}

import { isIP, SocketAddress } from 'node:net'

/** Where a connection came from and went to, as a PROXY protocol header tells (haproxy.org's proxy-protocol.txt, versions 1 and 2). */
export interface ProxiedConnection {
  /** undefined: the balancer's own connection (LOCAL, UNKNOWN), such as a health check. */
  readonly source: { readonly address: string; readonly port: number } | undefined
  readonly destinationPort: number | undefined
}

/** A header read: where the bytes after it begin. */
export interface ProxyHeader {
  readonly connection: ProxiedConnection
  readonly length: number
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V1_LONGEST = 107
const V2_FIXED = 16
// Addresses take 216 bytes at most; the rest is for type-length-value extras, which are skipped.
const V2_LONGEST = 4096

/** Reads the header at the start of a connection; undefined: more bytes are needed. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'malformed' | undefined {
  const compared = Math.min(bytes.length, SIGNATURE.length)
  if (bytes.subarray(0, compared).equals(SIGNATURE.subarray(0, compared))) return readVersion2(bytes)
  return readVersion1(bytes)
}

// Version 1: one line of text.

const PREFIX = 'PROXY '
const V1_LINE = /^PROXY (?:(UNKNOWN)(?: .*)?|(TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ([0-9]{1,5}) ([0-9]{1,5}))$/

function readVersion1(bytes: Buffer): ProxyHeader | 'malformed' | undefined {
  const text = bytes.toString('latin1', 0, V1_LONGEST)
  if (!text.startsWith(PREFIX.slice(0, text.length))) return 'malformed'
  const end = text.indexOf('\r\n')
  if (end === -1) return text.length < V1_LONGEST ? undefined : 'malformed'
  const line = V1_LINE.exec(text.slice(0, end))
  if (line === null) return 'malformed'
  const connection = line[1] === 'UNKNOWN' ? LOCAL : addressed(line)
  return connection === undefined ? 'malformed' : { connection, length: end + 2 }
}

function addressed(line: RegExpExecArray): ProxiedConnection | undefined {
  const [, , family, source, destination, sourcePort, destinationPort] = line
  const version = family === 'TCP4' ? 4 : 6
  const valid =
    isIP(source!) === version && isIP(destination!) === version && isPort(sourcePort!) && isPort(destinationPort!)
  if (!valid) return undefined
  const address = version === 4 ? source! : shortened(source!)
  return { source: { address, port: Number(sourcePort) }, destinationPort: Number(destinationPort) }
}

const isPort = (digits: string): boolean => Number(digits) < 65_536

/** As sockets tell an IPv6 address (RFC 5952), so that one client has one name. */
const shortened = (address: string): string => new SocketAddress({ address, family: 'ipv6' }).address

const LOCAL: ProxiedConnection = { source: undefined, destinationPort: undefined }

// Version 2: binary.

const COMMANDS = { local: 0x20, proxy: 0x21 }
const FAMILIES = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21 }

function readVersion2(bytes: Buffer): ProxyHeader | 'malformed' | undefined {
  if (bytes.length < V2_FIXED) return undefined
  const length = V2_FIXED + bytes.readUInt16BE(14)
  if (length > V2_LONGEST) return 'malformed'
  if (bytes.length < length) return undefined
  const connection = connectionOf(bytes[12]!, bytes[13]!, bytes.subarray(V2_FIXED, length))
  return connection === undefined ? 'malformed' : { connection, length }
}

function connectionOf(command: number, family: number, addresses: Buffer): ProxiedConnection | undefined {
  if (command === COMMANDS.local) return LOCAL
  if (command !== COMMANDS.proxy) return undefined
  if (family === FAMILIES.unspecified) return LOCAL
  if (family === FAMILIES.tcp4 && addresses.length >= 12) return fromAddresses(addresses, 4)
  if (family === FAMILIES.tcp6 && addresses.length >= 36) return fromAddresses(addresses, 16)
  return undefined
}

function fromAddresses(addresses: Buffer, size: 4 | 16): ProxiedConnection {
  const source = addresses.subarray(0, size)
  const address = size === 4 ? source.join('.') : shortened((source.toString('hex').match(/.{4}/g) ?? []).join(':'))
  return {
    source: { address, port: addresses.readUInt16BE(2 * size) },
    destinationPort: addresses.readUInt16BE(2 * size + 2),
  }
}

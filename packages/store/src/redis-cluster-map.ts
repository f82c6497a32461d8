import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { untilAvailable } from './redis-until-available.ts'
import { type RedisAccess, type RedisAddress, urlOf } from './redis-url.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** Slots, both ends included, and the nodes that have them: the master first. */
export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly nodes: readonly RedisAddress[]
}

/** Asks a connected node who has which slots. */
export async function askForSlots(connection: RedisConnection, asked: RedisAddress): Promise<readonly SlotRange[]> {
  const ranges = readSlotRanges(await connection.call('cluster', ['SLOTS']), asked)
  if (ranges.length === 0) throw new StoreUnavailable(`${asked.host}:${asked.port} knows of no slots`)
  return ranges
}

/** Asks a node that nothing is connected to yet. */
export async function askStranger(
  address: RedisAddress,
  access: RedisAccess,
  options: RedisConnectionOptions,
): Promise<readonly SlotRange[]> {
  await using connection = new RedisConnection(urlOf(address, access), { ...options, scripts: [] })
  await untilAvailable(connection, patience)
  return await askForSlots(connection, address)
}

/** Longest wait for a node to be connected to. */
const patience: Milliseconds = 1000

type Node = readonly [host: Buffer | null, port: number, ...unknown[]]
type Reply = readonly (readonly [first: number, last: number, ...nodes: Node[]])[]

/** Reads the reply to CLUSTER SLOTS; a node that does not know its own name is called as it was asked. */
export function readSlotRanges(reply: unknown, asked: RedisAddress): SlotRange[] {
  return (reply as Reply).map(([first, last, ...nodes]) => ({
    first,
    last,
    nodes: nodes.map(([host, port]) => ({ host: String(host ?? '') || asked.host, port: Number(port) })),
  }))
}

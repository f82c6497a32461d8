import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import type { Ports } from './nodes.ts'

/** The ports a reader would guess where they are free, others where they are not. */
export async function familiarPorts(): Promise<readonly [Ports, Ports]> {
  const [first, second, firstAdmin, secondAdmin] = [
    await free(8081),
    await free(8082),
    await free(9901),
    await free(9902),
  ]
  return [
    { listen: first, admin: firstAdmin },
    { listen: second, admin: secondAdmin },
  ]
}

async function free(port: number): Promise<string> {
  const probe = createServer()
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return await free(0)
  }
  const { port: found } = probe.address() as AddressInfo
  await new Promise((closed) => probe.close(closed))
  return `127.0.0.1:${found}`
}

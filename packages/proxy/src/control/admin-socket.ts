import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

import { showAddress } from '../config/address.ts'
import type { Address } from '../config/config.ts'

/** Listens, and answers with the real address as `host:port` or `unix:path`. A socket is its owner's alone. */
export async function listen(server: Server, address: Address | { readonly socket: string }): Promise<string> {
  if (!('socket' in address)) return listenOnPort(server, address)
  await removeAbandoned(address.socket)
  await begun(server, () => makingFilesPrivate(() => server.listen({ path: address.socket, exclusive: true })))
  return `unix:${address.socket}`
}

async function listenOnPort(server: Server, { host, port }: Address): Promise<string> {
  await begun(server, () => server.listen({ host, port, exclusive: true }))
  const real = server.address() as AddressInfo // A TCP server that listens has one.
  return showAddress({ host: real.address, port: real.port })
}

async function begun(server: Server, begin: () => void): Promise<void> {
  const listening = once(server, 'listening')
  begin()
  await listening
  // Accepting fails while the process has no descriptors left: who connects is closed, and the node must not end for that.
  server.on('error', () => {})
}

/** A mode given afterwards comes too late: whoever has connected meanwhile stays. */
function makingFilesPrivate(make: () => void): void {
  const usual = process.umask(0o177)
  try {
    make()
  } finally {
    process.umask(usual)
  }
}

/** A node that was killed leaves its socket's file behind; one that lives answers there. */
async function removeAbandoned(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSocket() && !(await answers(path))) await unlink(path)
}

async function answers(path: string): Promise<boolean> {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}

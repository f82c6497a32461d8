import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** The proxies under test have this core for themselves. */
export const proxyCore = 0
/** Load generator, checking client, applications and Redis share this one. */
export const loadCore = 1

/** A process of ours, stopped when disposed. */
export interface Running extends AsyncDisposable {
  readonly pid: number
  readonly child: ChildProcess
  /** What it said last, for an error message. */
  lastWords(): string
}

export interface StartOptions {
  readonly core: number | 'any'
  readonly env?: Readonly<Record<string, string>>
  readonly ipc?: boolean
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill()
})

/** Starts a program, on one core or wherever the system likes. */
export function start(command: string, args: readonly string[], options: StartOptions): Running {
  const pinned = options.core === 'any' ? [] : ['taskset', '-c', String(options.core)]
  const [program, ...rest] = [...pinned, command, ...args] as [string, ...string[]]
  const child = spawn(program, rest, {
    stdio: options.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let said = ''
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  alive.add(child)
  child.on('exit', () => alive.delete(child))
  child.on('error', listen)
  if (child.pid === undefined) throw new Error(`cannot start ${command}: is taskset (util-linux) installed?`)
  return { pid: child.pid, child, lastWords: () => said.trim(), [Symbol.asyncDispose]: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  // Not SIGTERM, after which a node waits for balancers to hear of it.
  child.kill('SIGINT')
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(impatience)
}

/** Waits until a page comes from this port; throws with the process's last words after ten seconds or when it ends. */
export function untilServing(port: number, running: Running): Promise<void> {
  return until(running, `serve on port ${port}`, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    await response.arrayBuffer()
    return response.ok
  })
}

/** Waits until this port accepts a connection; throws as `untilServing` does. */
export function untilAccepting(port: number, running: Running): Promise<void> {
  return until(running, `listen on port ${port}`, async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
    return true
  })
}

async function until(running: Running, purpose: string, reached: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await delay(20)) {
    if (running.child.exitCode !== null) break
    if (await reached().catch(() => false)) return
  }
  throw new Error(`${running.child.spawnargs.join(' ')} does not ${purpose}: ${running.lastWords()}`)
}

/** Ports nobody listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, occupy))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

async function occupy() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

import { freePorts, loadCore, type Running, start, untilAccepting } from './processes.ts'

/** A Redis of one contender's own, so that its processor time and memory are that contender's alone. */
export interface BenchRedis extends Running {
  readonly url: string
}

/** Starts an empty redis-server that writes nothing to disk, on the load core: the proxy core is the proxy's. */
export async function startRedis(): Promise<BenchRedis> {
  const [port] = (await freePorts(1)) as [number]
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const running = start('redis-server', args, { core: loadCore })
  await untilAccepting(port, running)
  return { ...running, url: `redis://127.0.0.1:${port}` }
}

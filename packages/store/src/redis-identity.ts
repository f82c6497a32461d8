import type { RedisArgument } from './redis-connection.ts'
import type { Script } from './redis-scripts.ts'

type Send = (command: string, args: readonly RedisArgument[]) => Promise<unknown>

/** Loads the scripts into the server just connected and answers its run id; empty where INFO is not allowed. */
export async function readyIdentity(send: Send, scripts: readonly Script[]): Promise<string> {
  const loads = scripts.map((script) => send('script', ['LOAD', script.lua]))
  const [info] = await Promise.all([send('info', ['server']).catch(() => ''), ...loads])
  return /^run_id:(\w+)/m.exec(String(info))?.[1] ?? ''
}

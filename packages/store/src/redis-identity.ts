import type { RedisArgument } from './redis-connection.ts'
import type { Script } from './redis-scripts.ts'

type Send = (command: string, args: readonly RedisArgument[]) => Promise<unknown>

/**
 * Loads the scripts into the server just connected and answers its run id, empty where INFO is not allowed. Scripts
 * that may not be loaded are sent whole when they are first run.
 */
export async function readyIdentity(send: Send, scripts: readonly Script[]): Promise<string> {
  const loads = scripts.map((script) => send('SCRIPT', ['LOAD', script.lua]).catch(() => {}))
  const [info] = await Promise.all([send('INFO', ['server']).catch(() => ''), ...loads])
  return /^run_id:(\w+)/m.exec(String(info))?.[1] ?? ''
}

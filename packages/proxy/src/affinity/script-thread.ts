import { inspect } from 'node:util'
import { workerData } from 'node:worker_threads'

import { fieldOf } from '../wire/fields.ts'
import type { Decision } from './script-decision.ts'
import { Facts } from './script-facts.ts'
import type { RequestHook, ResponseHook } from './script-hooks.ts'
import { hooksOf, type ScriptHooks } from './script-hooks-of.ts'
import { PortKeys } from './script-port-keys.ts'
import { RequestView } from './script-request.ts'
import { ResponseView } from './script-response.ts'
import type { AskedFacts, ThreadTask } from './script-thread-messages.ts'

// The program of a thread that runs one version of one script: it is loaded before the first task.

const script: { readonly request?: RequestHook; readonly response?: ResponseHook } = await import(workerData.url).catch(
  rethrow,
)
const hooks = hooksOf(script)

/** Runs a hook; a task without one tells which there are. */
export async function run(task: ThreadTask): Promise<ScriptHooks | Decision | undefined> {
  if (task.hook === undefined) return hooks
  const keys = new PortKeys(task.port)
  try {
    return await (task.hook === 'request' ? decide(task, keys) : see(task, keys))
  } catch (cause) {
    rethrow(cause)
  } finally {
    keys.close()
  }
}

async function decide({ asked }: ThreadTask & { hook: 'request' }, keys: PortKeys): Promise<Decision> {
  const view = new RequestView(factsOf(asked), keys)
  await script.request!(view)
  const decision = await view.decision
  await keys.settled()
  return decision
}

async function see({ asked, answer }: ThreadTask & { hook: 'response' }, keys: PortKeys): Promise<undefined> {
  const head = { ...answer, header: (name: string) => fieldOf(answer.fields, name) }
  await script.response!(new ResponseView(factsOf(asked), head, answer.backend, keys, answer.now))
  await keys.settled()
}

function factsOf(asked: AskedFacts): Facts {
  return new Facts({ ...asked, header: (name) => fieldOf(asked.fields, name) }, asked.clientAddress)
}

/** To piscina an error that is null is none, and what cannot be copied says nothing. */
function rethrow(cause: unknown): never {
  throw cause instanceof Error ? cause : new Error(`it threw ${inspect(cause)}`)
}

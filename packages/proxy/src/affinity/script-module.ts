import { pathToFileURL } from 'node:url'
import type { MaybePromise, Milliseconds } from '@sticky/store'

import type { Decision } from './script-decision.ts'
import type { LoadedScript, ScriptAnswer, ScriptExchange } from './script-exchange.ts'
import type { RequestHook, ResponseHook } from './script-hooks.ts'
import { hooksOf, type ScriptHooks } from './script-hooks-of.ts'
import { loadTime, within } from './script-limit.ts'
import { isPromise, RequestView } from './script-request.ts'
import { ResponseView } from './script-response.ts'

interface ScriptModule {
  readonly request?: RequestHook
  readonly response?: ResponseHook
}

/** Which load of a file is meant: the loader keeps a module for good under each address. */
let loads = 0

/** Loads a script into this process; rejects when it cannot be loaded or has no hooks. */
export async function loadModule(file: string, limit: Milliseconds): Promise<LoadedScript> {
  const module: ScriptModule = await within(loadTime, import(`${pathToFileURL(file).href}?load=${++loads}`))
  return new ModuleScript(module, limit)
}

/** A script that runs in this process: a hook that returns no promise costs none. */
class ModuleScript implements LoadedScript {
  readonly hooks: ScriptHooks
  readonly #module: ScriptModule
  readonly #limit: Milliseconds

  constructor(module: ScriptModule, limit: Milliseconds) {
    this.hooks = hooksOf(module)
    this.#module = module
    this.#limit = limit
  }

  request({ facts, keys }: ScriptExchange): MaybePromise<Decision> {
    const view = new RequestView(facts, keys)
    const returned: unknown = this.#module.request!(view)
    const decision = isPromise(returned) ? decisionAfter(returned, view) : view.decision
    return decision instanceof Promise ? within(this.#limit, decision, keys) : decision
  }

  response({ facts, keys }: ScriptExchange, { head, backend, now }: ScriptAnswer): MaybePromise<void> {
    const returned: unknown = this.#module.response!(new ResponseView(facts, head, backend, keys, now))
    if (isPromise(returned)) return within(this.#limit, ended(returned), keys)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A hook's decision may depend on a promise of its own, too. */
async function decisionAfter(hook: PromiseLike<unknown>, view: RequestView): Promise<Decision> {
  await hook
  return view.decision
}

async function ended(hook: PromiseLike<unknown>): Promise<void> {
  await hook
}

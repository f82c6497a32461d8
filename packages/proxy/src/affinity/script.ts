import { unlimited } from '@sticky/store'

import type { ScriptConfig } from '../config/config.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { AffinityServices } from './registry.ts'
import type { Decision } from './script-decision.ts'
import type { ScriptExchange } from './script-exchange.ts'
import { Facts } from './script-facts.ts'
import { ScriptKeys } from './script-keys.ts'
import { ExchangeKeys } from './script-persist.ts'
import type { ScriptRunner } from './script-service.ts'
import { ScriptSession } from './script-session.ts'
import type { AffinityStrategy, Client, MatchedUri, Session } from './strategy.ts'

/** A10 aFleX: the user's own script recognises, binds, directs and refuses (docs/scripts.md). */
export function script(config: ScriptConfig, services: AffinityServices): AffinityStrategy {
  const host = services.scripts?.host(config, services)
  if (host === undefined) return { locate: () => unscripted }
  return scripted(host, new ScriptKeys(config.script, services))
}

function scripted(host: ScriptRunner, keys: ScriptKeys): AffinityStrategy {
  const session = (exchange: ScriptExchange, decision: Decision | undefined): Session =>
    decision === undefined ? unscripted : new ScriptSession(host, keys, exchange, decision)
  return {
    locate(head: RequestHead, client: Client, _uri: MatchedUri, budget = unlimited) {
      const exchange = { head, facts: new Facts(head, client.address), keys: new ExchangeKeys(keys, budget) }
      const decision = host.request(exchange)
      return decision instanceof Promise
        ? decision.then((made) => session(exchange, made))
        : session(exchange, decision)
    },
  }
}

/** A request whose script did not run, or failed: whoever else there is in the chain decides. */
const unscripted: Session = {
  known: false,
  home: [],
  key: undefined,
  persistence: 'NN',
  reason: 'script: it did not run',
  served: () => false,
}

import type { MaybePromise, Row } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { KeyKeeper } from './key-keeper.ts'
import { type KeyFound, KeySession } from './key-session.ts'
import type { AffinityServices } from './registry.ts'
import type { AffinityStrategy, Session } from './strategy.ts'

/** A10 aFleX: a value that the application sets is the key, learned as its response passes; requests never teach one. */
export function persistenceKey(config: PersistenceKeyConfig, services: AffinityServices): AffinityStrategy {
  const keeper = new KeyKeeper(config, services)
  return {
    locate: ({ cookie }: RequestHead) =>
      cookie === undefined ? new KeySession(keeper, cookie, undefined) : locateFrom(0, keeper, cookie, undefined),
  }
}

/** Asks for the sources' keys in their order until one leads to a session; `found` is what the first one led to. */
function locateFrom(
  next: number,
  keeper: KeyKeeper,
  field: string,
  found: KeyFound | undefined,
): MaybePromise<Session> {
  const source = keeper.sources[next]
  if (source === undefined) return new KeySession(keeper, field, found)
  const key = source.presentedIn(field)
  if (key === undefined) return locateFrom(next + 1, keeper, field, found)
  const decide = (row: Row): MaybePromise<Session> =>
    row.state === 'bound'
      ? new KeySession(keeper, field, { source, key, row })
      : locateFrom(next + 1, keeper, field, found ?? { source, key, row })
  const answer = keeper.find(key)
  return answer instanceof Promise ? answer.then(decide) : decide(answer)
}

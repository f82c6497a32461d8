import { type MaybePromise, type Row, unlimited } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import { KeyKeeper } from './key-keeper.ts'
import { type KeyAsker, type KeyFound, KeySession } from './key-session.ts'
import type { AffinityServices } from './registry.ts'
import type { AffinityStrategy, Session } from './strategy.ts'

/** A10 aFleX: a value that the application or its client chose is the key, learnt as its response passes. */
export function persistenceKey(config: PersistenceKeyConfig, services: AffinityServices): AffinityStrategy {
  const keeper = new KeyKeeper(config, services)
  const { backup } = keeper
  const locate: AffinityStrategy['locate'] = (request, client, _uri, budget = unlimited) =>
    locateFrom(0, keeper, { request, client, budget }, none)
  return backup === undefined ? { locate } : { locate, conceal: (request) => backup.conceal(request) }
}

const none: readonly KeyFound[] = []

/** Asks for the sources' keys in their order until one leads to a session; `before` are those that led to none. */
function locateFrom(
  first: number,
  keeper: KeyKeeper,
  asker: KeyAsker,
  before: readonly KeyFound[],
): MaybePromise<Session> {
  const { request, client, budget } = asker
  let misses = before
  for (let index = first; index < keeper.sources.length; index++) {
    const source = keeper.sources[index]!
    const key = source.presentedIn(request, client)
    if (key === undefined) continue
    const row = keeper.find(key, request, budget)
    if (row instanceof Promise) return row.then(goOn(index, keeper, asker, misses, { source, key }))
    if (row.state === 'bound') return new KeySession(keeper, asker, { source, key, row }, misses)
    misses = [...misses, { source, key, row }]
  }
  return new KeySession(keeper, asker, undefined, misses)
}

/** The same, once it is known what the key of that source leads to. */
function goOn(
  index: number,
  keeper: KeyKeeper,
  asker: KeyAsker,
  misses: readonly KeyFound[],
  asked: Omit<KeyFound, 'row'>,
): (row: Row) => MaybePromise<Session> {
  return (row) =>
    row.state === 'bound'
      ? new KeySession(keeper, asker, { ...asked, row }, misses)
      : locateFrom(index + 1, keeper, asker, [...misses, { ...asked, row }])
}

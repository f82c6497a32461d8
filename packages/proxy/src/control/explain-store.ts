import { type LoadTable, leastLoaded, type Row, type SessionTable, type Store, StoreUnavailable } from '@sticky/store'

/** A store whose reads are real and whose writes do nothing, but answer as if they had been done. */
export function dryStore(store: Store, local: LoadTable['local']): Store {
  return {
    sessions: drySessions(store),
    cookies: { record: () => {}, of: (key) => store.cookies.of(key) },
    load: dryLoad(store.load, local),
    cluster: store.cluster,
    operators: store.operators,
    get available() {
      return store.available
    },
    now: () => store.now(),
    onAvailability: () => {},
    onStale: () => {},
    recall: async () => {},
    onRecall: () => {},
    // It is its owner's.
    async [Symbol.asyncDispose]() {},
  }
}

function drySessions(store: Store): SessionTable {
  const { sessions } = store
  return {
    find: (key, atLeast) => sessions.find(key, atLeast),
    touch: () => {},
    show: (key) => sessions.show(key),
    list: (pool, filter) => sessions.list(pool, filter),
    count: (pool) => sessions.count(pool),
    end: async (key) => (await sessions.find(key)).state === 'bound',
    move: async (key) => sessions.find(key),
    async bind(key, backend, seen, { age, lifetime, endsWithLastCookie = false }): Promise<Row> {
      const row = await sessions.find(key)
      if (row.version !== seen) return row
      const now = store.now()
      const { created, end } =
        row.state === 'bound' ? row : { created: now, end: lifetime === undefined ? 0 : now + lifetime }
      const version = Math.max(Math.floor(now * 1000), seen + 1)
      return {
        ...{ state: 'bound', backend, version, epoch: row.epoch },
        ...{ created, age, deadline: now + age, end, endsWithLastCookie },
      }
    },
  }
}

/** Chooses by the totals without counting the choice; ties go to the first. */
function dryLoad(load: LoadTable, local: LoadTable['local']): LoadTable {
  return {
    async reserve(pool, candidates) {
      const totals = await totalsOr(load, pool)
      return leastLoaded(candidates, (id) => totals?.get(id) ?? local(pool, id), 0)?.id
    },
    // Whose turn it is shows only when it is taken.
    turn: (_, candidates) => candidates[0]!.id,
    charge: () => {},
    begin: () => {},
    end: () => {},
    local,
    reported: async () => {},
    totals: (pool) => load.totals(pool),
  }
}

async function totalsOr(load: LoadTable, pool: string): Promise<Map<string, number> | undefined> {
  try {
    return await load.totals(pool)
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined
    throw error
  }
}

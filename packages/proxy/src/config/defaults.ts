/** Every default, as one would write it in the file. `node.id` is the host name, `node.workers` the number of cores, or 1 with `memory:`; `store.shards` is 1, or 16 in a Redis Cluster. */
export const defaults = {
  listen: [{ address: '127.0.0.1:8080' }],
  /** On loopback, where `sticky-cli` looks for it. */
  admin: { address: '127.0.0.1:9901' },
  store: {
    url: 'memory:',
    budget: '50ms',
    commandTimeout: '1s',
    /** After this a silent node's sessions in flight are no longer counted. */
    lease: '6s',
    heartbeat: '2s',
    prefix: 'sticky',
  },
  accessLog: true,
  timeouts: {
    head: '10s',
    idle: '75s',
    body: '30s',
    write: '30s',
    connect: '2s',
    response: '60s',
    /** Below the 5 s after which Node's own server closes, so that we close first. */
    backendIdle: '4s',
    tunnel: '1h',
  },
  limits: { head: '16Ki', fields: 100, target: '8Ki', minRate: 100 },
  shutdownTimeout: '25s',
  drain: { grace: '5s' },
  watch: false,
  routeMatch: 'first',
  vhostPort: 'host-header',
  whenDrained: 'refuse',
  hostHeader: 'preserve',
  balance: 'leastLoad',
  weight: 1,
  backup: false,
  countsKnown: false,
  ejection: { failures: 3, for: '5s', longest: '60s', mostShare: '50%', statuses: [] },
  healthCheck: {
    method: 'GET',
    status: ['200-399'],
    interval: '2s',
    timeout: '1s',
    rise: 2,
    fall: 3,
    jitter: '10%',
    initially: 'up',
  },
  /** Never: what checks say counts. */
  panicBelow: '0%',
  onUnavailable: 'rebind',
  queue: { max: 100, timeout: '5s' },
  retry: { attempts: 2, budget: '20%', minPerSecond: 3 },
  poolTimeouts: { ejects: false },
  replayBody: 0,
  /** A pool that says nothing about affinity sticks; `affinity: []` does not. */
  affinity: [{ strategy: 'session-cookie' }],
  sessionCookie: {
    name: 'sticky',
    begin: 'always',
    /** CHTTP's 1800 s. */
    age: '30m',
    ends: 'age',
    newPerClient: false,
    maxSessions: 10_000_000,
  },
  /** How each cookie of ours is dressed. */
  ownCookie: {
    path: '/',
    secure: 'auto',
    httpOnly: true,
    sameSite: 'Lax',
    partitioned: false,
    prefix: 'auto',
    cachePrivate: true,
  },
  script: { isolate: false, timeLimit: '50ms' },
  /** The 300 s of A10's example. */
  persistenceKey: {
    age: '5m',
    endOn: [],
    whenGone: 'rebind',
    newPerClient: { count: 600, per: '1m' },
    maxSessions: 1_000_000,
  },
  /** A client's IPv6 addresses are those of its /64. */
  clientAddress: { ipv4: 32, ipv6: 64 },
  /** gorouter's names. */
  companionCookie: {
    triggers: ['JSESSIONID'],
    name: '__VCAP_ID__',
    meta: true,
    value: 'sealed',
    secure: false,
    negotiate: false,
  },
  cloneId: { cookie: 'JSESSIONID', parameter: 'jsessionid', separators: ':' },
  instanceCookie: { name: 'instance', value: 'sealed', start: '/' },
  /** Genero's connector URI. */
  instancePath: { start: '/gas', whenAway: 'refuse', mapResponses: false },
} as const

/** What a pool may name under `preset`. */
export const presetNames = [
  'chttp',
  'gorouter',
  'aflex',
  'genero',
  'websphere',
  'socketio',
  'mcp',
  'llm',
  'tomcat',
  'php',
  'aspnet',
] as const

type PresetName = (typeof presetNames)[number]

/** What a preset says of a pool, as a file would. */
type Preset = Readonly<Record<string, unknown>>

/** Socket.IO's handshake answers `0{"sid":"…`, before version 3 with its length before it; every later request has it as a parameter. */
const socketIoId = '^(?:[0-9]+:)?0\\{"sid":"([^"]{1,128})"'

/** Keys that clients of language models send with every request of a conversation; X-Client-Request-Id is another one each time. */
const conversationFields = [
  'x-session-affinity',
  'X-Session-Id',
  'session-id',
  'X-Claude-Code-Session-Id',
  'x-opencode-session',
]

/** Pools as the systems and applications that people come from want them, by name (docs/affinity.md). */
const presets: Readonly<Record<PresetName, Preset>> = {
  chttp: {
    balance: 'leastLoad',
    affinity: [{ strategy: 'session-cookie', name: 'KTCPVS_SID', begin: 'on-cookie', ends: 'last-cookie' }],
  },
  gorouter: { balance: 'roundRobin', affinity: [{ strategy: 'companion-cookie', triggers: ['JSESSIONID'] }] },
  aflex: {
    affinity: [
      {
        strategy: 'persistence-key',
        from: [{ cookie: 'JSESSIONID', learn: 'request' }, { clientAddress: true }],
        age: '5m',
      },
    ],
  },
  genero: { balance: 'roundRobin', affinity: [{ strategy: 'instance-cookie', start: '/gas' }] },
  websphere: {
    balance: 'sharedRoundRobin',
    affinity: [{ strategy: 'clone-id', cookie: 'JSESSIONID', parameter: 'jsessionid', separators: ':' }],
    ejection: { failures: 1, for: '1m', longest: '1m', mostShare: '100%' },
  },
  socketio: {
    affinity: [
      {
        strategy: 'persistence-key',
        from: [{ query: 'sid', learn: { body: socketIoId } }],
        age: '2m',
        whenGone: 'gone',
      },
    ],
  },
  mcp: {
    affinity: [
      {
        strategy: 'persistence-key',
        from: [{ header: 'Mcp-Session-Id' }],
        age: '1h',
        endOn: ['DELETE'],
        whenGone: 'gone',
      },
    ],
  },
  llm: {
    affinity: [
      {
        strategy: 'persistence-key',
        from: conversationFields.map((header) => ({ header, learn: 'request' })),
        age: '1h',
        maxSkew: 1.5,
      },
    ],
  },
  tomcat: {
    affinity: [{ strategy: 'clone-id', cookie: 'JSESSIONID', parameter: 'jsessionid', separators: '.' }],
  },
  /** PHP forgets an idle session after session.gc_maxlifetime. */
  php: { affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'PHPSESSID' }], age: '24m' }] },
  /** The time-out of sessionState. */
  aspnet: { affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'ASP.NET_SessionId' }], age: '20m' }] },
}

/**
 * A file's data in which pools say what their presets say, besides what they say themselves. `named` are the same data with
 * their references resolved.
 */
export function withPresets(data: unknown, named: unknown = data): unknown {
  if (!isMap(data) || !isMap(data.pools)) return data
  const pools = Object.entries(data.pools).map(([id, pool]) => [id, expanded(pool, presetOf(named, id))])
  return { ...data, pools: Object.fromEntries(pools) }
}

function expanded(pool: unknown, preset: Preset | undefined): unknown {
  return isMap(pool) && preset !== undefined ? { ...structuredClone(preset), ...pool } : pool
}

function presetOf(data: unknown, pool: string): Preset | undefined {
  const found = isMap(data) && isMap(data.pools) ? data.pools[pool] : undefined
  const name = isMap(found) ? found.preset : undefined
  return typeof name === 'string' && Object.hasOwn(presets, name) ? presets[name as PresetName] : undefined
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import { Attributes } from './attributes.ts'
import { backendsOf } from './backends.ts'
import type { Origins, PoolContents } from './contents.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** Makes a pool of a ServerCluster; undefined, with a warning, when it has no server that can be run. */
export function poolOf(cluster: XmlElement, warn: Warn, origins: Origins): PoolContents | undefined {
  const attributes = new Attributes(cluster, warn)
  const balance = balanceOf(attributes)
  const { backends, timeouts } = backendsOf(cluster, balance === 'sharedRoundRobin', warn, origins)
  if (backends.length === 0) {
    warn(cluster.place, `${cluster.name} ${attributes.text('Name')} has no Server that can be run: it was left out`)
    return undefined
  }
  warnOfLimits(attributes)
  const pool: PoolContents = {
    balance,
    ...countsKnownOf(attributes, balance),
    affinity: backends.some(({ cloneIds }) => cloneIds.length > 0) ? [strategyOf(attributes)] : [],
    ejection: ejectionOf(attributes),
    timeouts,
    ...maxBodyOf(attributes),
    ...replayBodyOf(attributes),
    ...(attributes.flag('RemoveSpecialHeaders', true) ? { removeHeaders: ['$WS*'] } : {}),
    backends,
  }
  origins.set(pool, cluster.place)
  return pool
}

function balanceOf(attributes: Attributes): PoolContents['balance'] {
  const text = attributes.text('LoadBalance') ?? 'Round Robin'
  const name = text.replace(/\s/g, '').toLowerCase()
  if (name === 'random') return 'random'
  if (name !== 'roundrobin')
    attributes.warn('LoadBalance', `must be Round Robin or Random, got ${JSON.stringify(text)}; taken as Round Robin`)
  return 'sharedRoundRobin'
}

function countsKnownOf(attributes: Attributes, balance: PoolContents['balance']): { countsKnown?: true } {
  const counts = !attributes.flag('IgnoreAffinityRequests', true)
  return counts && balance === 'sharedRoundRobin' ? { countsKnown: true } : {}
}

function strategyOf(attributes: Attributes): PoolContents['affinity'][number] {
  return attributes.flag('CloneSeparatorChange', false)
    ? { strategy: 'clone-id', separators: '+' }
    : { strategy: 'clone-id' }
}

/** The first failure marks a server down, and after RetryInterval one request tries it again. */
function ejectionOf(attributes: Attributes): PoolContents['ejection'] {
  const interval = `${attributes.whole('RetryInterval', 60, 1, 24 * 24 * 60 * 60)}s`
  return { failures: 1, for: interval, longest: interval, mostShare: '100%' }
}

function maxBodyOf(attributes: Attributes): { maxBody?: string } {
  const limit = attributes.whole('PostSizeLimit', -1, -1, 999_999_999_999)
  if (limit === 0) attributes.warn('PostSizeLimit', 'allows no body at all; the least that can be said here is 1 byte')
  return limit < 0 ? {} : { maxBody: `${Math.max(limit, 1)}B` }
}

function replayBodyOf(attributes: Attributes): { replayBody?: string } {
  const kilobytes = attributes.whole('PostBufferSize', 0, 0, 1_000_000)
  return kilobytes === 0 ? {} : { replayBody: `${kilobytes}Ki` }
}

function warnOfLimits(attributes: Attributes): void {
  if (attributes.flag('GetDWLMTable', false))
    attributes.warn('GetDWLMTable', 'asks for partition ids, which are not read here: only clone ids are')
  if (attributes.whole('ServerIOTimeoutRetry', -1, -1, 1_000_000) >= 0)
    attributes.warn('ServerIOTimeoutRetry', 'is not heeded: a request is sent to two other servers at most')
}

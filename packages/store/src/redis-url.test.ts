import { describe, expect, test } from 'vitest'

import { parseRedisUrl } from './redis-url.ts'

const open = { tls: false, username: undefined, password: undefined }
const sentinel = {
  kind: 'sentinel',
  ...open,
  database: 0,
  master: 'mymaster',
  sentinelUsername: undefined,
  sentinelPassword: undefined,
}
const at = (host: string, port: number) => ({ host, port })

describe('Redis Sentinel', () => {
  const two = [at('h1', 26379), at('h2', 26380)]

  test.each([
    ['redis+sentinel://h1:26379,h2:26380/mymaster', { sentinels: two }],
    ['redis+sentinel://h1,h2:26380/mymaster', { sentinels: two }],
    ['redis+sentinel://h1:26379,h2:26380/mymaster/3', { sentinels: two, database: 3 }],
    ['REDISS+SENTINEL://h1,h2:26380/mymaster', { sentinels: two, tls: true }],
    ['redis+sentinel://app:p%40ss@h1/mymaster', { sentinels: [two[0]], username: 'app', password: 'p@ss' }],
    ['redis+sentinel://:pass@h1/mymaster', { sentinels: [two[0]], password: 'pass' }],
    ['redis+sentinel://[::1]:7000/mymaster', { sentinels: [at('::1', 7000)] }],
    ['redis-sentinel://h1:26379,h2:26380#mymaster', { sentinels: two }],
    ['redis-sentinel://h1:26379,h2:26380/3#mymaster', { sentinels: two, database: 3 }],
    [
      'redis+sentinel://h1/mymaster?sentinelUsername=s&sentinelPassword=p%26q',
      { sentinels: [two[0]], sentinelUsername: 's', sentinelPassword: 'p&q' },
    ],
  ])('%s names a master by its sentinels', (url, parts) => {
    expect(parseRedisUrl(url)).toEqual({ ...sentinel, ...parts })
  })

  test.each([
    ['redis+sentinel://h1:26379,h2:26379', 'must name the master'],
    ['redis+sentinel://h1:26379/', 'must name the master'],
    ['redis+sentinel://h1/my%20master', 'must name the master'],
    ['redis+sentinel://h1/mymaster/db', 'must name the database by number'],
    ['redis+sentinel://h1/mymaster/1/2', 'must end with master and database'],
    ['redis+sentinel:///mymaster', 'must list hosts and ports'],
    ['redis+sentinel://h1,,h2/mymaster', 'must list hosts and ports'],
    ['redis+sentinel://h1:0/mymaster', 'must list hosts and ports'],
    ['redis+sentinel://h1:99999/mymaster', 'must list hosts and ports'],
    ['redis+sentinel://h 1/mymaster', 'must list hosts and ports'],
    ['redis+sentinel://secret@h1/mymaster', 'must have user:password@'],
    ['redis+sentinel://:%zz@h1/mymaster', 'must have % only as in %40'],
    ['redis+sentinel://h1/mymaster?password=x', 'has an unknown option password'],
  ])('%s is refused: it %s', (url, problem) => {
    expect(() => parseRedisUrl(url)).toThrow(problem)
  })

  test('no part of a password stands in what is said of a bad URL', () => {
    expect(() => parseRedisUrl('redis+sentinel://app:hid/den@h1/mymaster')).toThrow(/^(?!.*hid)/)
  })
})

describe('Redis Cluster', () => {
  const nodes = [at('h1', 6379), at('h2', 7001)]

  test.each([
    ['redis+cluster://h1,h2:7001', { nodes }],
    ['redis+cluster://h1:6379,h2:7001/', { nodes }],
    ['redis-cluster://h1:6379,h2:7001/0', { nodes }],
    ['rediss+cluster://u:p@h1', { nodes: [nodes[0]], tls: true, username: 'u', password: 'p' }],
  ])('%s names a cluster by some of its nodes', (url, parts) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'cluster', ...open, ...parts })
  })

  test.each([
    ['redis+cluster://h1/1', 'must be without a database'],
    ['redis+cluster://h1?x=1', 'must be without options'],
    ['redis+cluster://', 'must list hosts and ports'],
    ['redis+cluster://h1:port', 'must list hosts and ports'],
    ['redis+cluster:h1', 'must begin with'],
  ])('%s is refused: it %s', (url, problem) => {
    expect(() => parseRedisUrl(url)).toThrow(problem)
  })
})

test('a single server keeps its URL', () => {
  const url = 'rediss://user:password@redis:6380/2'

  expect(parseRedisUrl(url)).toEqual({ kind: 'server', url })
})

test.each(['http://redis', 'redis', '', 'redis+other://h1', 'valkey://h1'])('%j names no Redis', (url) => {
  expect(() => parseRedisUrl(url)).toThrow('must begin with redis://, redis+sentinel:// or redis+cluster://')
})

import { spawnSync } from 'node:child_process'

/** Where Debian's package puts it, whatever PATH says. */
const debian = '/usr/bin/redis-server'

/** A `redis-server` on PATH; undefined without one. */
export function redisOnPath(): string | undefined {
  return succeeds('redis-server', ['--version']) ? 'redis-server' : undefined
}

/** Installs Redis with apt as root or through sudo, saying so on stderr; undefined where that cannot be done. */
export function redisFromApt(): string | undefined {
  const apt = asRoot()
  if (!apt) return undefined
  process.stderr.write('tests: no Redis found, installing redis-server with apt\n')
  const installed = apt('update') && apt('install', '-y', '--no-install-recommends', 'redis-server')
  return installed && succeeds(debian, ['--version']) ? debian : undefined
}

/** Runs apt-get and tells whether it succeeded. */
type AptGet = (...args: string[]) => boolean

function asRoot(): AptGet | undefined {
  if (!succeeds('apt-get', ['--version'])) return undefined
  if (process.getuid?.() === 0) return (...args) => succeeds('apt-get', ['-q', ...args])
  if (!succeeds('sudo', ['-n', 'true'])) return undefined
  return (...args) => succeeds('sudo', ['-n', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args])
}

function succeeds(command: string, args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'ignore', env }).status === 0
}

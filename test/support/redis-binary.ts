import { spawnSync } from 'node:child_process'

/** PATH, and then where Debian's package puts it, for shells whose PATH is short. */
const places = ['redis-server', '/usr/bin/redis-server']

/** A `redis-server` of this machine; undefined without one. */
export function redisBinary(): string | undefined {
  return places.find((place) => succeeds(place, ['--version']))
}

/** That, or one that is installed now. */
export function redisServer(): string | undefined {
  return redisBinary() ?? redisFromApt()
}

/** Installs Redis with apt as root or through sudo, saying so on stderr; undefined where that cannot be done. */
export function redisFromApt(): string | undefined {
  const apt = asRoot()
  if (!apt) return undefined
  process.stderr.write('no redis-server found: installing it with apt\n')
  const installed = apt('update') && apt('install', '-y', '--no-install-recommends', 'redis-server')
  return installed ? redisBinary() : undefined
}

/** Runs apt-get and tells whether it succeeded. */
type AptGet = (...args: string[]) => boolean

// Two test files may come here at once.
const waitForLock = ['-q', '-o', 'DPkg::Lock::Timeout=120']

function asRoot(): AptGet | undefined {
  if (!succeeds('apt-get', ['--version'])) return undefined
  if (process.getuid?.() === 0) return (...args) => succeeds('apt-get', [...waitForLock, ...args])
  if (!succeeds('sudo', ['-n', 'true'])) return undefined
  const environment = 'DEBIAN_FRONTEND=noninteractive'
  return (...args) => succeeds('sudo', ['-n', environment, 'apt-get', ...waitForLock, ...args])
}

function succeeds(command: string, args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'ignore', env }).status === 0
}

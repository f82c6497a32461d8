import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Backend } from '../backends.ts'
import { freePorts, proxyCore, start, untilServing } from '../processes.ts'
import type { Contender } from './contender.ts'
import { versionOf } from './installed.ts'

/** Caddy with its cookie policy: the cookie holds a keyed hash of the backend's address. */
export const caddy: Contender = {
  name: 'Caddy, cookie policy',
  kind: 'caddy',
  program: 'caddy',
  affinity: "its own cookie holds a hash of the backend's address",
  version: () => versionOf('caddy', 'version') ?? versionOf('caddy', 'build-info'),
  async start(backends, folder) {
    const [port] = (await freePorts(1)) as [number]
    const configuration = text(port, backends)
    const file = join(folder, 'Caddyfile')
    writeFileSync(file, configuration)
    const running = start('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
      core: proxyCore,
      env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    })
    await untilServing(port, running)
    return { ...running, ports: [port], pids: [running.pid], storePids: [], configuration }
  },
}

function text(port: number, backends: readonly Backend[]): string {
  return `{
  admin off
  auto_https off
  log {
    output discard
  }
}

http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${backends.map((backend) => `127.0.0.1:${backend.port}`).join(' ')} {
    lb_policy cookie route a-secret-for-the-bench
    transport http {
      keepalive_idle_conns_per_host 128
    }
  }
}
`
}

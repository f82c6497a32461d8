import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Backend } from '../backends.ts'
import { freePorts, proxyCore, start, untilServing } from '../processes.ts'
import type { Contender } from './contender.ts'
import { versionOf } from './installed.ts'

/** nginx, whose free edition keeps sessions by hashing: a cookie of its own is hashed over the backends. */
export const nginx: Contender = {
  name: 'nginx, hash on cookie',
  kind: 'nginx',
  program: 'nginx',
  affinity: 'hashes a cookie of its own over the backends',
  version: () => versionOf('nginx', '-v'),
  async start(backends, folder) {
    const [port] = (await freePorts(1)) as [number]
    const configuration = text(port, backends, folder)
    const file = join(folder, 'nginx.conf')
    writeFileSync(file, configuration)
    mkdirSync(join(folder, 'spool'))
    const running = start('nginx', ['-p', folder, '-e', 'stderr', '-c', file], { core: proxyCore })
    await untilServing(port, running)
    return { ...running, ports: [port], pids: [running.pid], storePids: [], configuration }
  },
}

// Without one event loop's worth of idle connections for each backend nginx reconnects, and without proxy_max_temp_file_size 0
// it writes large bodies to disk: both would flatter us.
function text(port: number, backends: readonly Backend[], folder: string): string {
  const servers = backends.map((backend) => `    server 127.0.0.1:${backend.port};\n`).join('')
  const spools = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
${process.getuid?.() === 0 ? 'user root;\n' : ''}
events { worker_connections 12000; }

http {
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
${spools.map((name) => `  ${name}_temp_path ${folder}/spool/${name};\n`).join('')}
  map $cookie_route $route { "" $request_id; default $cookie_route; }
  map $cookie_route $begin { "" "route=$request_id; Path=/; HttpOnly"; default ""; }

  upstream shop {
    hash $route consistent;
${servers}    keepalive 128;
    keepalive_requests 1000000000;
  }

  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / {
      proxy_pass http://shop;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_max_temp_file_size 0;
      add_header Set-Cookie $begin;
    }
  }
}
`
}

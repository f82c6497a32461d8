import httpProxy from '@fastify/http-proxy'
import fastify, { type FastifyReply } from 'fastify'

import { chooseByCookie } from './route-cookie.ts'

declare module 'fastify' {
  interface FastifyRequest {
    origin: string
  }
}

const [port, ...origins] = process.argv.slice(2)
const choose = chooseByCookie(origins)
const app = fastify({ keepAliveTimeout: 75_000 })

app.decorateRequest('origin', '')
app.addHook('onRequest', (request, reply: FastifyReply, done) => {
  const { origin, setCookie } = choose(request.headers.cookie)
  request.origin = origin
  if (setCookie) reply.header('set-cookie', setCookie)
  done()
})
app.register(httpProxy, {
  upstream: '',
  undici: { connections: 128, pipelining: 1 },
  replyOptions: { getUpstream: (request) => (request as { origin?: string }).origin! },
})
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 8192 })

import { Agent, createServer, type IncomingMessage } from 'node:http'

import httpProxy from 'http-proxy'

import { chooseByCookie } from './route-cookie.ts'

const [port, ...origins] = process.argv.slice(2)
const choose = chooseByCookie(origins)
const newcomers = new WeakMap<IncomingMessage, string>()
const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true })

proxy.on('proxyRes', (response, request) => {
  const setCookie = newcomers.get(request)
  if (setCookie) response.headers['set-cookie'] = [...(response.headers['set-cookie'] ?? []), setCookie]
})
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502)
  response.end()
})

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const { origin, setCookie } = choose(request.headers.cookie)
  if (setCookie) newcomers.set(request, setCookie)
  proxy.web(request, response, { target: origin })
})
server.listen(Number(port), '127.0.0.1', 8192)

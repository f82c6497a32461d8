import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import express from 'express'
import session from 'express-session'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

/** An application that keeps its logins in its own memory: on any other instance nobody is logged in. */
class LoginApp implements AsyncDisposable {
  readonly id: string
  readonly #server: Server

  private constructor(id: string, server: Server) {
    this.id = id
    this.#server = server
  }

  static async start(id: string): Promise<LoginApp> {
    const app = express()
    const server = createServer(app)
    const instance = new LoginApp(id, server)
    app.disable('x-powered-by')
    app.use(session({ secret: 'of the application', resave: false, saveUninitialized: false, name: 'app.sid' }))
    app.post('/login/:user', (request, response) => {
      request.session.user = request.params.user
      request.session.visits = 0
      response.json({ backend: id, user: request.params.user })
    })
    app.get('/visit', (request, response) => {
      if (request.session.user !== undefined) request.session.visits = (request.session.visits ?? 0) + 1
      response.json({ backend: id, user: request.session.user ?? null, visits: request.session.visits ?? 0 })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return instance
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Several instances, and a pool's `backends` that names them. */
export async function loginApps(
  ids: readonly string[],
): Promise<AsyncDisposable & { readonly backends: readonly object[] }> {
  const apps = await Promise.all(ids.map((id) => LoginApp.start(id)))
  return {
    backends: apps.map((app) => ({ id: app.id, url: `http://127.0.0.1:${app.port}` })),
    async [Symbol.asyncDispose]() {
      await Promise.all(apps.map((app) => app[Symbol.asyncDispose]()))
    },
  }
}

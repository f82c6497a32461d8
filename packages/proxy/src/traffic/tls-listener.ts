import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'

import type { KeyPairConfig, PemTexts } from '../config/config.ts'
import { ServerNames } from './tls-names.ts'
import type { TlsSecrets } from './tls-secrets.ts'

/** What becomes of a handshake. */
export interface HandshakeEvents {
  secured(socket: TLSSocket): void
  /** Told no more than once; the socket is closed. */
  failed(): void
}

/** Makes connections secure with some certificates; others need another. Connections it has made secure need it no longer. */
export class TlsListener {
  readonly #server: Server
  /** By connection. A TLS socket does not tell which socket is beneath it. */
  readonly #handshakes = new Map<string, HandshakeEvents>()

  /** Throws where a certificate and its key cannot be used. */
  constructor(pairs: readonly KeyPairConfig[], secrets: TlsSecrets) {
    this.#server = this.#make(pairs, secrets)
  }

  /** Begins a handshake on a connection whose client speaks next, and of which nothing is read any more. */
  begin(socket: Socket, events: HandshakeEvents): void {
    const id = connectionId(socket)
    this.#handshakes.set(id, events)
    socket.once('close', () => {
      if (this.#handshakes.get(id) === events) this.#end(id)?.failed()
    })
    this.#server.emit('connection', socket)
  }

  #make(pairs: readonly KeyPairConfig[], secrets: TlsSecrets): Server {
    const contexts = contextsOf(pairs, secrets)
    const server = createServer({
      ...optionsOf(pairs[0]!, secrets),
      ALPNProtocols: ['http/1.1'],
      // Without an answer the default is used.
      SNICallback: (name, answer) => answer(null, contexts.find(name)),
    })
    server.on('secureConnection', (socket) => this.#secured(socket))
    // Its socket is closed, of which `begin` hears.
    server.on('tlsClientError', (_, socket) => socket.destroy())
    return server
  }

  #secured(socket: TLSSocket): void {
    const events = this.#end(connectionId(socket))
    if (events === undefined) socket.destroy()
    else events.secured(socket)
  }

  #end(id: string): HandshakeEvents | undefined {
    const events = this.#handshakes.get(id)
    this.#handshakes.delete(id)
    return events
  }
}

/** Why certificates and a key cannot be used, though they fit; undefined: they can. */
export function unfitness({ ca, cert, key }: PemTexts): string | undefined {
  try {
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** No two open connections of a machine have the same. */
function connectionId(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`
}

function contextsOf(pairs: readonly KeyPairConfig[], secrets: TlsSecrets): ServerNames<SecureContext> {
  const names = new ServerNames<SecureContext>()
  for (const pair of pairs) {
    const options = optionsOf(pair, secrets)
    names.add(options.cert, createSecureContext(options))
  }
  return names
}

function optionsOf(pair: KeyPairConfig, { pemsOf, ticketKey }: TlsSecrets): SecureOptions {
  const { cert = '', key = '' } = pemsOf(pair) ?? {}
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // A ticket counts for all certificates of a node, in all its workers.
    sessionIdContext: 'sticky',
    ticketKeys: Buffer.from(ticketKey),
  }
}

interface SecureOptions {
  readonly cert: string
  readonly key: string
  readonly minVersion: 'TLSv1.2'
  readonly secureOptions: number
  readonly sessionIdContext: string
  readonly ticketKeys: Buffer
}

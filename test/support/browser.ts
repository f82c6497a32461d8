import { type IncomingMessage, request } from 'node:http'

/** What came back. */
export interface Page {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A client with a cookie jar, which opens a fresh connection for every request. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #host: string | undefined

  /** `host` is the name of the site it visits; the node's own address by default. */
  constructor(host?: string) {
    this.#host = host
  }

  async get(port: number, path = '/'): Promise<Page> {
    return await this.#send('GET', port, path)
  }

  async post(port: number, path = '/'): Promise<Page> {
    return await this.#send('POST', port, path)
  }

  #send(method: string, port: number, path: string): Promise<Page> {
    return new Promise((resolve, reject) => {
      const host = this.#host === undefined ? {} : { Host: this.#host }
      const headers = { ...host, ...(this.cookies.size > 0 ? { Cookie: this.#cookieField() } : {}) }
      const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
        try {
          let body = ''
          for await (const bytes of response) body += bytes
          this.#keep(response.headers['set-cookie'] ?? [])
          resolve({ status: response.statusCode!, headers: response.headers, body })
        } catch (error) {
          reject(error)
        }
      })
      call.on('error', reject)
      call.end()
    })
  }

  #cookieField(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(fields: readonly string[]): void {
    for (const field of fields) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(field)!
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(field)) this.cookies.delete(name!)
      else this.cookies.set(name!, value!)
    }
  }
}

import type { Milliseconds } from '@sticky/store'

import type { ResponseHead } from '../wire/response-head.ts'
import { unquoted } from './cookies.ts'
import { Fields } from './script-facts.ts'
import type { Named, Persistence, RequestFacts, ResponseContext, SetCookies } from './script-hooks.ts'
import { parseSetCookie, type SetCookie } from './set-cookie.ts'

/** What an answer's facts are made of. */
export type AnsweredHead = Pick<ResponseHead, 'status' | 'setCookies' | 'header'>

/** A response hook's context; `now` dates the cookies' Expires. */
export class ResponseView implements ResponseContext {
  readonly request: RequestFacts
  readonly persist: Persistence
  readonly backend: string
  readonly header: Named
  readonly setCookie: SetCookies
  readonly #head: AnsweredHead

  constructor(request: RequestFacts, head: AnsweredHead, backend: string, persist: Persistence, now: Milliseconds) {
    this.request = request
    this.persist = persist
    this.backend = backend
    this.header = new Fields(head)
    this.setCookie = new CookiesSet(head.setCookies, now)
    this.#head = head
  }

  get status(): number {
    return this.#head.status
  }
}

class CookiesSet implements SetCookies {
  readonly fields: readonly string[]
  readonly #now: Milliseconds

  constructor(fields: readonly string[], now: Milliseconds) {
    this.fields = fields
    this.#now = now
  }

  get(name: string): string | undefined {
    const cookie = this.#last(name)
    return cookie === undefined || isDeletion(cookie) ? undefined : unquoted(cookie.value)
  }

  exists(name: string): boolean {
    return this.get(name) !== undefined
  }

  deletes(name: string): boolean {
    const cookie = this.#last(name)
    return cookie !== undefined && isDeletion(cookie)
  }

  #last(name: string): SetCookie | undefined {
    for (let index = this.fields.length - 1; index >= 0; index--) {
      const field = this.fields[index]!
      const cookie = field.startsWith(name) ? parseSetCookie(field, this.#now) : undefined
      if (cookie?.name === name) return cookie
    }
    return undefined
  }
}

function isDeletion({ lifetime }: SetCookie): boolean {
  return lifetime !== undefined && lifetime <= 0
}

import type { Milliseconds } from '@sticky/store'

import type { KeySource } from '../config/config.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { parseSetCookie, type SetCookie } from './set-cookie.ts'

/** What a response's head says of a source's value: the new one, or undefined in its place where it is deleted. */
export interface KeyTold {
  readonly value: string | undefined
}

/** Reads a response's head; undefined where it says nothing. */
export type AnswerReader = (response: ResponseHead, clock: { now(): Milliseconds }) => KeyTold | undefined

/** Reads what answers say of a source's value; undefined for a source of which they say nothing. */
export function answerReader(source: KeySource): AnswerReader | undefined {
  if ('cookie' in source) return cookieReader(source.cookie)
  if ('header' in source && source.learn === 'response') return headerReader(source.header.toLowerCase())
  return undefined
}

/** Set-Cookie counts whoever taught the value: a new one keeps the home. */
function cookieReader(name: string): AnswerReader {
  return ({ setCookies }, clock) => {
    if (setCookies.length === 0) return undefined
    const cookie = lastNamed(name, setCookies, clock.now())
    if (cookie === undefined) return undefined
    return { value: cookie.lifetime !== undefined && cookie.lifetime <= 0 ? undefined : cookie.value }
  }
}

/** Of several of one name the last stays in browsers. */
function lastNamed(name: string, setCookies: readonly string[], now: Milliseconds): SetCookie | undefined {
  for (const field of setCookies.toReversed()) {
    const cookie = field.startsWith(name) ? parseSetCookie(field, now) : undefined
    if (cookie?.name === name) return cookie
  }
  return undefined
}

function headerReader(name: string): AnswerReader {
  return (response) => {
    const value = response.header(name)
    return value === undefined ? undefined : { value }
  }
}

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

const deleted: KeyTold = { value: undefined }

/** Set-Cookie counts whoever taught the value: a new one keeps the home. */
function cookieReader(name: string): AnswerReader {
  return ({ setCookies }, clock) => (setCookies.length === 0 ? undefined : toldOf(name, setCookies, clock.now()))
}

/**
 * Of several of one name the last that sets a value, for that one stays in browsers: a deletion beside it is of another path, as
 * Spring's logout and the container's new session disagree about the slash at its end.
 */
function toldOf(name: string, setCookies: readonly string[], now: Milliseconds): KeyTold | undefined {
  let told: KeyTold | undefined
  for (const field of setCookies.toReversed()) {
    const cookie = field.startsWith(name) ? parseSetCookie(field, now) : undefined
    if (cookie?.name !== name) continue
    if (!isDeletion(cookie)) return { value: cookie.value }
    told = deleted
  }
  return told
}

function isDeletion({ lifetime }: SetCookie): boolean {
  return lifetime !== undefined && lifetime <= 0
}

function headerReader(name: string): AnswerReader {
  return (response) => {
    const value = response.header(name)
    return value === undefined ? undefined : { value }
  }
}

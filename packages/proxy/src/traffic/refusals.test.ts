import { describe, expect, test } from 'vitest'

import { failureCode, optionsAnswer, refusalAnswer, refusals } from './refusals.ts'

const asked = { requestId: 'r-1', withoutBody: false, persistent: true }
const codes = Object.keys(refusals) as (keyof typeof refusals)[]

describe('a refusal', () => {
  test('is one whole message in plain text', () => {
    expect(refusalAnswer('no-route', asked).text).toBe(
      'HTTP/1.1 404 Not Found\r\nX-Request-Id: r-1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n\r\nno route\n',
    )
  })

  test.each(codes.filter((code) => refusals[code].status !== 0))('%s has a reason phrase and its length', (code) => {
    const { text, status, bodyLength } = refusalAnswer(code, asked)
    const [head, body] = text.split('\r\n\r\n')

    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z][A-Za-z ]+\r\n`))
    expect(head).toContain(`\r\nContent-Length: ${body!.length}`)
    expect(bodyLength).toBe(body!.length)
  })

  test('to HEAD tells the length and has no body', () => {
    const { text, bodyLength } = refusalAnswer('no-route', { ...asked, withoutBody: true })

    expect(text.endsWith('Content-Length: 9\r\n\r\n')).toBe(true)
    expect(bodyLength).toBe(0)
  })

  test('that ends the connection says so', () => {
    expect(refusalAnswer('no-route', { ...asked, persistent: false }).text).toContain('\r\nConnection: close\r\n')
    expect(refusalAnswer('no-route', asked).text).not.toContain('Connection')
  })

  test.each(codes.filter((code) => refusals[code].status === 503))('%s says when to come again', (code) => {
    expect(refusalAnswer(code, asked).text).toContain('\r\nRetry-After: 2\r\n')
  })

  test('may say more than its code, with a status of its own', () => {
    const { text, status } = refusalAnswer('bad-request', asked, 'an expectation other than 100-continue', 417)

    expect(status).toBe(417)
    expect(text).toMatch(/^HTTP\/1\.1 417 Expectation Failed\r\n/)
    expect(text.endsWith('\r\n\r\nan expectation other than 100-continue\n')).toBe(true)
  })
})

test('`OPTIONS *` is answered without a body or a length', () => {
  expect(optionsAnswer(asked).text).toBe('HTTP/1.1 204 No Content\r\nX-Request-Id: r-1\r\n\r\n')
})

test.each([
  ['refused', 502],
  ['reset', 502],
  ['invalid', 502],
  ['timeout', 504],
] as const)('a backend that failed by %s is a %i', (cause, status) => {
  expect(refusals[failureCode({ phase: 'before-head', cause })].status).toBe(status)
})

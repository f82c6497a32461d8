import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const folder = new URL('./lua/', import.meta.url)
const files = readdirSync(folder).map((name) => ({ name, lua: readFileSync(new URL(name, folder), 'utf8') }))
/** Shared functions have no keys or arguments of their own; scripts begin by saying what they are. */
const scripts = files.filter(({ lua }) => lua.startsWith('#!lua'))

/** The names a header lists after KEYS or ARGV. */
function declared(header: string, kind: 'KEYS' | 'ARGV'): string[] {
  const list = new RegExp(`${kind} (.*?)(?= {2,}|$)`, 'm').exec(header)?.[1] ?? ''
  return list.split(', ').filter((name) => name !== '' && /^[a-z ]+$/.test(name))
}

describe.each(scripts)('lua/$name', ({ lua }) => {
  const lines = lua.split('\n')
  const code = lines.findIndex((line, i) => i > 0 && !line.startsWith('--'))
  const header = lines.slice(1, code).join('\n')
  const body = lines.slice(code).join('\n')

  test('says what it does, takes and answers', () => {
    expect(header).toMatch(/^-- [A-Z].*/)
    expect(header).toMatch(/^-- KEYS .* {3}ARGV.*->|^-- KEYS .* {3}ARGV[\s\S]*->/m)
  })

  test('names its keys once, in the order of its header', () => {
    const named = [...body.matchAll(/KEYS\[(\d+)\]/g)].map(([, number]) => Number(number))

    expect(named).toEqual(declared(header, 'KEYS').map((_, i) => i + 1))
    expect(body.split('\n')[0]).toContain('KEYS[1]')
  })

  test('names its arguments once, in the order of its header', () => {
    const named = [...body.matchAll(/ARGV\[(\d+)\]/g)].map(([, number]) => Number(number))
    const fixed = declared(header, 'ARGV').slice(0, named.length)

    expect(named).toEqual(fixed.map((_, i) => i + 1))
  })

  test('touches no key but those it is given, and what begins with them: one slot has them all', () => {
    const given = body.slice('local '.length, body.indexOf(' = ')).split(', ')
    const made = [...body.matchAll(/local (\w+) = (\w+) \.\. /g)].flatMap(([, name, start]) =>
      given.includes(start!) ? [name] : [],
    )
    const touched = [...body.matchAll(/redis\.call\('[A-Z]+', (\w+)/g)].map(([, key]) => key)

    expect(touched.filter((key) => !given.includes(key!) && !made.includes(key))).toEqual([])
  })

  test('asks for no key by pattern and for no time but the server’s', () => {
    expect(lua).not.toMatch(/'(KEYS|SCAN)'|os\.(time|clock)/)
  })
})

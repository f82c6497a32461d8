import { expect, test } from 'vitest'

import { readXml, type XmlElement, XmlFault } from './xml.ts'

test('elements and attributes are known with their places', () => {
  const root = read(
    '<?xml version="1.0"?>\n<!-- <no/> -->\n<Config  A = "1"\r\n   Port="A &amp; &#66;"><X/>\n  <Y><Z Port="A"/></Y></Config>\n',
  )

  expect(root).toMatchObject({ name: 'Config', place: { line: 3, column: 1 } })
  expect([...root.attributes]).toEqual([
    ['A', { value: '1', place: { line: 3, column: 10 } }],
    ['Port', { value: 'A & B', place: { line: 4, column: 4 } }],
  ])
  expect(root.children.map(({ name, place }) => [name, place.line, place.column])).toEqual([
    ['X', 4, 25],
    ['Y', 5, 3],
  ])
  expect(root.children[1]!.children[0]!.attributes.get('Port')!.place).toEqual({ line: 5, column: 9 })
})

test.for([
  ['an empty file', '', 1, 'document must contain a root element'],
  ['what is no XML', 'pools: {}', 1, 'text data outside of root node'],
  ['a tag that is not closed', '<Config>\n<Server>\n</Config>', 3, 'unexpected close tag'],
  ['a file that ends too early', '<Config>\n<Server', 2, 'unclosed tag'],
  [
    'an attribute that stands there twice',
    '<Config>\n<Server Name="a" Name="b"/></Config>',
    2,
    'duplicate attribute: Name',
  ],
  ['an attribute without quotes', '<Config\n A=1/>', 2, 'unquoted attribute value'],
  ['a second root', '<Config/>\n<Config/>', 2, 'documents may contain only one root'],
  ['an entity of nobody', '<Config\nA="&who;"/>', 2, 'undefined entity'],
  ['an ampersand', '<Config\nA="a & b"/>', 2, 'an & is written &amp;'],
  ['a less-than sign', '<Config\nA="a < b"/>', 2, 'disallowed character'],
  ['a control character', '<Config A="\u0001"/>', 1, 'disallowed character'],
  [
    'an external entity',
    '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<c>&x;</c>',
    1,
    'DOCTYPE is not allowed',
  ],
  ['entities of entities', `<!DOCTYPE c [<!ENTITY a "${'&b;'.repeat(9)}">]>\n<c>&a;</c>`, 1, 'DOCTYPE is not allowed'],
  ['a harmless DOCTYPE', '<!DOCTYPE Config>\n<Config/>', 1, 'DOCTYPE is not allowed'],
  ['elements within elements', '<a>\n'.repeat(100_000), 33, 'nested more than 32 deep'],
  ['a huge file', `<Config>${' '.repeat(5 * 1024 * 1024)}</Config>`, 1, 'is larger than 4 MiB'],
] as const)('%s is refused with its line', ([, text, line, problem]) => {
  const fault = readXml(text)

  expect(fault).toBeInstanceOf(XmlFault)
  expect(fault).toMatchObject({ problem: expect.stringContaining(problem), place: { line } })
})

function read(text: string): XmlElement {
  const root = readXml(text)
  if (root instanceof XmlFault) throw new Error(root.problem)
  return root
}

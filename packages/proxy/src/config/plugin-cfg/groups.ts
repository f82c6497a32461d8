import { Flaw } from '../flaw.ts'
import { parseCookieName } from '../names.ts'
import { Attributes } from './attributes.ts'
import type { PathContents } from './contents.ts'
import { parseUri, parseVirtualHost } from './patterns.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** Groups of one kind by name. A group that is left empty matches nothing. */
export type Groups<Member> = ReadonlyMap<string, readonly Member[]>

/** Every VirtualHostGroup: its hosts as routes name them. */
export function hostGroupsOf(config: XmlElement, warn: Warn): Groups<string> {
  return groupsOf(config, 'VirtualHostGroup', 'VirtualHost', warn, (attributes) => {
    const name = attributes.text('Name')
    const host = name === undefined ? new Flaw('is missing') : parseVirtualHost(name)
    if (!(host instanceof Flaw)) return host
    attributes.warn('Name', `${host.problem}${shown(name)}; it was ignored`)
    return undefined
  })
}

/** Every UriGroup: its paths as routes name them. */
export function uriGroupsOf(config: XmlElement, warn: Warn): Groups<string | PathContents> {
  return groupsOf(config, 'UriGroup', 'Uri', warn, (attributes) => {
    const name = attributes.text('Name')
    const path = name === undefined ? new Flaw('is missing') : parseUri(name)
    if (!(path instanceof Flaw)) return withNames(path, attributes)
    attributes.warn('Name', `${path.problem}${shown(name)}; it was ignored`)
    return undefined
  })
}

function groupsOf<Member>(
  config: XmlElement,
  group: string,
  member: string,
  warn: Warn,
  read: (attributes: Attributes) => Member | undefined,
): Groups<Member> {
  const groups = new Map<string, readonly Member[]>()
  for (const element of config.children.filter(({ name }) => name === group)) {
    const name = new Attributes(element, warn).text('Name')
    if (name === undefined || groups.has(name)) {
      warn(
        element.place,
        `a ${group} ${name === undefined ? 'without a Name' : `${name} stands above`}: this one was ignored`,
      )
      continue
    }
    groups.set(name, membersOf(element, member, warn, read))
  }
  return groups
}

function membersOf<Member>(
  group: XmlElement,
  member: string,
  warn: Warn,
  read: (attributes: Attributes) => Member | undefined,
): Member[] {
  const members = new Map<string, Member>()
  for (const element of group.children.filter(({ name }) => name === member)) {
    const found = read(new Attributes(element, warn))
    if (found === undefined) continue
    const text = JSON.stringify(found)
    if (members.has(text)) warn(element.place, `this ${member} stands in its group twice`)
    members.set(text, found)
  }
  return [...members.values()]
}

function withNames(path: string, attributes: Attributes): string | PathContents {
  const cookie = nameOf(attributes, 'AffinityCookie', 'JSESSIONID')
  const parameter = nameOf(attributes, 'AffinityURLIdentifier', 'jsessionid')
  if (cookie === undefined && parameter === undefined) return path
  return { path, ...(cookie === undefined ? {} : { cookie }), ...(parameter === undefined ? {} : { parameter }) }
}

/** Undefined where it is the usual one. */
function nameOf(attributes: Attributes, attribute: string, usual: string): string | undefined {
  const text = attributes.text(attribute) ?? usual
  const name = parseCookieName(text)
  if (name instanceof Flaw)
    attributes.warn(attribute, `${name.problem}, got ${JSON.stringify(text)}; taken as ${usual}`)
  return name instanceof Flaw || name === usual ? undefined : name
}

function shown(name: string | undefined): string {
  return name === undefined ? '' : `, got ${JSON.stringify(name)}`
}

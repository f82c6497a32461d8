import { SaxesParser } from 'saxes'

import type { Place } from '../mistakes.ts'

/** One attribute as the file has it, its references resolved. */
export interface XmlAttribute {
  readonly value: string
  readonly place: Place
}

/** One element with its attributes and children; text between them is nobody's. */
export interface XmlElement {
  readonly name: string
  readonly place: Place
  readonly attributes: ReadonlyMap<string, XmlAttribute>
  readonly children: readonly XmlElement[]
}

/** Why a text is no XML that we read. */
export class XmlFault {
  readonly problem: string
  readonly place: Place

  constructor(problem: string, place: Place) {
    this.problem = problem
    this.place = place
  }
}

// Real files have some kilobytes and five levels.
const LARGEST = 4 * 1024 * 1024
const DEEPEST = 32
const BARE_AMPERSAND = /&(?!#?\w+;)/

/** Reads XML strictly, up to its root element; the first fault ends it. Entities of the file's own are none: it may declare nothing. */
export function readXml(text: string): XmlElement | XmlFault {
  if (text.length > LARGEST) return new XmlFault('is larger than 4 MiB', { line: 1, column: 1 })
  const reader = new Reader(text)
  try {
    return reader.read()
  } catch (stop) {
    if (stop instanceof Stop) return stop.fault
    throw stop
  }
}

/** Ends the parser's run: it knows no other way. */
class Stop extends Error {
  readonly fault: XmlFault

  constructor(fault: XmlFault) {
    super(fault.problem)
    this.fault = fault
  }
}

interface Growing {
  readonly name: string
  readonly place: Place
  readonly attributes: Map<string, XmlAttribute>
  readonly children: Growing[]
}

class Reader {
  readonly #text: string
  readonly #parser = new SaxesParser({ xmlns: false })
  readonly #lineStarts: readonly number[]
  readonly #open: Growing[] = []
  #root: Growing | undefined
  /** Where what was read last ends. */
  #cursor = 0

  constructor(text: string) {
    this.#text = text
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
    this.#parser.on('error', (error) => this.#fail(plain(error.message)))
    this.#parser.on('doctype', () => this.#stop('a DOCTYPE is not allowed: it could declare entities'))
    this.#parser.on('opentagstart', ({ name }) => this.#begin(name))
    this.#parser.on('attribute', ({ name, value }) => this.#add(name, value))
    this.#parser.on('closetag', () => this.#end())
  }

  read(): XmlElement {
    this.#parser.write(this.#text).close()
    return this.#root!
  }

  #begin(name: string): void {
    const start = this.#text.lastIndexOf(`<${name}`, this.#parser.position)
    this.#cursor = start + 1 + name.length
    if (this.#open.length === DEEPEST) this.#stop(`elements are nested more than ${DEEPEST} deep`, start)
    const element: Growing = { name, place: this.#placeOf(start), attributes: new Map(), children: [] }
    this.#open.at(-1)?.children.push(element)
    this.#root ??= element
    this.#open.push(element)
  }

  #add(name: string, value: string): void {
    const start = this.#text.indexOf(name, this.#cursor)
    this.#cursor = this.#parser.position
    const { attributes } = this.#open.at(-1)!
    attributes.set(name, { value, place: this.#placeOf(start) })
  }

  #end(): void {
    this.#open.pop()
  }

  #fail(problem: string): never {
    // The parser takes everything after an ampersand for the name of an entity, up to the end of the file.
    const ampersand = problem === 'unexpected end' ? this.#text.slice(this.#cursor).search(BARE_AMPERSAND) : -1
    if (ampersand >= 0) this.#stop('not valid XML: an & is written &amp;', this.#cursor + ampersand)
    return this.#stop(`not valid XML: ${problem}`)
  }

  #stop(problem: string, offset: number = Math.max(this.#parser.position - 1, 0)): never {
    throw new Stop(new XmlFault(problem, this.#placeOf(offset)))
  }

  #placeOf(offset: number): Place {
    let line = 1
    let last = this.#lineStarts.length
    while (line < last) {
      const middle = (line + last + 1) >> 1
      if (this.#lineStarts[middle - 1]! <= offset) line = middle
      else last = middle - 1
    }
    return { line, column: offset - this.#lineStarts[line - 1]! + 1 }
  }
}

/** Without the position that the parser puts in front. */
function plain(message: string): string {
  return message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')
}

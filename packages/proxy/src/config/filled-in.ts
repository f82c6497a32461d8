import { durationPattern, showDuration } from './duration.ts'

/** The part of a JSON Schema that says what stands where, and what is meant where nothing does. */
interface Shape {
  readonly type?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Shape | false
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
}

/**
 * The data of a valid file with every default that the schema knows written out as people write it, and what follows from other
 * values as `meant`, the configuration it became, has it.
 */
export function filledIn(schema: object, data: unknown, meant: unknown): unknown {
  return filled(schema as Shape, data, meant)
}

function filled(shape: Shape, data: unknown, meant: unknown): unknown {
  if (data === undefined)
    return shape.default === undefined ? spelled(shape, meant) : filled(shape, shape.default, meant)
  const branch = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].find((each) => fits(each, data))
  if (branch !== undefined) return filled(branch, data, meant)
  if (Array.isArray(data)) return data.map((item, index) => filled(shape.items ?? {}, item, inside(meant, index)))
  return isMap(data) ? filledMap(shape, data, meant) : data
}

function filledMap({ properties = {}, additionalProperties }: Shape, data: Map, meant: unknown): Map {
  const others = Object.keys(data).filter((key) => !Object.hasOwn(properties, key))
  const entries = [...Object.keys(properties), ...others].map((key) => {
    const shape = properties[key] ?? (additionalProperties || {})
    return [key, filled(shape, data[key], inside(meant, key))]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** A value that follows from others, as the file would have it. */
function spelled({ pattern, properties = {} }: Shape, meant: unknown): unknown {
  if (typeof meant === 'number' && pattern === durationPattern.source) return showDuration(meant)
  if (Array.isArray(meant)) return meant.map((item) => spelled({}, item))
  if (!isMap(meant)) return meant
  const entries = Object.entries(meant).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([key, value]) => [key, spelled(properties[key] ?? {}, value)]))
}

/** Is this the branch of a union that the data were written for? */
function fits(shape: Shape, data: unknown): boolean {
  if (shape.const !== undefined) return shape.const === data
  if (shape.enum !== undefined) return shape.enum.includes(data)
  const branches = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])]
  if (branches.length > 0) return branches.some((branch) => fits(branch, data))
  if (Array.isArray(data)) return shape.type === 'array'
  return isMap(data) ? fitsMap(shape, data) : isKind(shape.type, data)
}

function fitsMap({ properties, required = [] }: Shape, data: Map): boolean {
  if (properties === undefined) return false
  const isWhole = required.every((key) => Object.hasOwn(data, key))
  return isWhole && Object.entries(data).every(([key, value]) => properties[key] && fitsKey(properties[key], value))
}

/** What tells branches apart are words of theirs. */
function fitsKey({ const: word }: Shape, value: unknown): boolean {
  return word === undefined || word === value
}

function isKind(type: string | undefined, data: unknown): boolean {
  if (type === 'integer' || type === 'number') return typeof data === 'number'
  return typeof data === type
}

type Map = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inside(meant: unknown, key: string | number): unknown {
  return typeof meant === 'object' && meant !== null ? (meant as Record<string | number, unknown>)[key] : undefined
}

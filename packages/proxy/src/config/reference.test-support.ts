import { jsonSchema } from './schema.ts'

/** The part of a JSON Schema that the manual shows. */
interface Shape {
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: Shape | false
  readonly items?: Shape
  readonly required?: readonly string[]
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly const?: unknown
}

/** The tables of the manual, by heading: every map of the file with all its keys, their defaults and meanings. */
export function referenceTables(): Map<string, string> {
  return new Map(mapsIn(jsonSchema() as Shape, '').map(({ heading, shape }) => [heading, table(shape)]))
}

interface NamedMap {
  readonly heading: string
  readonly shape: Shape
}

function mapsIn(shape: Shape, path: string): NamedMap[] {
  const own = shape.properties ? [{ heading: headingOf(shape, path), shape }] : []
  const inner = Object.entries(shape.properties ?? {}).map(
    ([key, value]) => [value, path ? `${path}.${key}` : key] as const,
  )
  const others = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].map((branch) => [branch, path] as const)
  const items = shape.items ? [[shape.items, `${path}[]`] as const] : []
  const named = shape.additionalProperties ? [[shape.additionalProperties, `${path}.ID`] as const] : []
  return [...own, ...[...inner, ...others, ...items, ...named].flatMap(([value, place]) => mapsIn(value, place))]
}

function headingOf(shape: Shape, path: string): string {
  const strategy = shape.properties?.strategy?.const
  if (strategy !== undefined) return `\`${path}\` with \`strategy: ${strategy}\``
  return path === '' ? 'The file' : `\`${path}\``
}

function table({ properties = {}, required = [] }: Shape): string {
  const rows = Object.entries(properties).map(
    ([key, value]) =>
      `| \`${key}\` | ${required.includes(key) ? 'required' : shown(value.default)} | ${value.description} |`,
  )
  return ['| key | default | |', '|---|---|---|', ...rows].join('\n')
}

function shown(value: unknown): string {
  if (value === undefined || isEmptyMap(value)) return ''
  return typeof value === 'object' ? `\`${flow(value)}\`` : `\`${value}\``
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

/** As it would be written in the file, on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const pairs = Object.entries(value).map(([key, inside]) => `${key}: ${flow(inside)}`)
  return `{ ${pairs.join(', ')} }`
}

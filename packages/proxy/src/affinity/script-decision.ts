import type { Verdict } from './strategy.ts'

/** Where a request goes by its script's word: to a backend, or as a verdict says. */
export type Choice = { readonly use: string } | Verdict

/** A change of the request's fields; undefined removes. */
export interface FieldEdit {
  readonly name: string
  readonly value: string | undefined
}

/** What a request hook decided; plain data, so that it can cross threads. */
export interface Decision {
  readonly choice: Choice | undefined
  readonly edits: readonly FieldEdit[]
}

/** What a decision may name. */
export interface Namable {
  readonly pool: string
  readonly backends: ReadonlySet<string>
  readonly pools: ReadonlySet<string>
  /** Is it a field that is ours to write? */
  isOwned(field: string): boolean
}

/** The keys an exchange looked up. */
export interface LookedUp {
  leadingTo(backend: string): object | undefined
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** What is wrong with a decision, for the script's author; a backend that a key led to may be one of other nodes. */
export function faultOf({ choice, edits }: Decision, named: Namable, keys: LookedUp): string | undefined {
  for (const edit of edits) {
    const fault = faultOfEdit(edit, named)
    if (fault !== undefined) return fault
  }
  return choice && faultOfChoice(choice, named, keys)
}

function faultOfChoice(choice: Choice, named: Namable, keys: LookedUp): string | undefined {
  if ('use' in choice) {
    if (named.backends.has(choice.use) || keys.leadingTo(choice.use) !== undefined) return undefined
    return `use: pool ${named.pool} has no backend ${shown(choice.use)}, only ${[...named.backends].join(', ')}`
  }
  if ('pool' in choice) {
    if (choice.pool === named.pool) return `pool: ${shown(choice.pool)} is the pool that asks`
    return named.pools.has(choice.pool) ? undefined : `pool: there is no pool ${shown(choice.pool)}`
  }
  const { status } = choice.refuse
  const refuses = Number.isInteger(status) && status >= 400 && status <= 599
  return refuses ? undefined : `refuse: ${status} is no status from 400 to 599`
}

function faultOfEdit({ name, value }: FieldEdit, { isOwned }: Namable): string | undefined {
  if (!token.test(name)) return `header: ${shown(name)} is no field name`
  if (isOwned(name)) return `header: ${name} is written by the proxy itself`
  if (value === undefined || fieldValue.test(value)) return undefined
  return `header: the value of ${name} cannot stand in a field`
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80))
}

/** Header lines with the changes made: a field that is set replaces all of its name. */
export function editedLines(lines: string, edits: readonly FieldEdit[]): string {
  return edits.reduce((edited, { name, value }) => {
    const others = withoutField(edited, name.toLowerCase())
    return value === undefined ? others : `${others}${name}: ${value}\r\n`
  }, lines)
}

function withoutField(lines: string, name: string): string {
  const kept = lines.split('\r\n').filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() !== name)
  return kept.join('\r\n')
}

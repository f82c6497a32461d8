import { styleText } from 'node:util'

import CliTable from 'cli-table3'

import { visible } from './output.ts'

/** One column of a table: its title and what it shows of a row. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number
  readonly align?: 'right'
}

const gap = 2
const edges =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid'
const borderless = Object.fromEntries([...edges.split(' '), 'middle'].map((edge) => [edge, '']))

/** A table whose rows come page by page, without borders; columns widen when they must, and never shrink or cut. */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[]
  readonly #color: boolean
  readonly #widths: number[]
  #hasHead = false

  constructor(columns: readonly Column<Row>[], color: boolean) {
    this.#columns = columns
    this.#color = color
    this.#widths = columns.map(({ title }) => title.length + gap)
  }

  /** The page's lines, the first page's below the titles. */
  page(rows: readonly Row[]): string {
    const cells = rows.map((row) => this.#columns.map(({ value }) => visible(String(value(row)))))
    for (const line of cells) this.#widen(line)
    const head = this.#hasHead ? [] : [this.#columns.map(({ title }) => this.#emphasized(title))]
    this.#hasHead = true
    return this.#lines([...head, ...cells])
  }

  #widen(cells: readonly string[]): void {
    for (const [at, cell] of cells.entries()) this.#widths[at] = Math.max(this.#widths[at]!, cell.length + gap)
  }

  #emphasized(title: string): string {
    return this.#color ? styleText('bold', title, { validateStream: false }) : title
  }

  #lines(rows: readonly string[][]): string {
    const colAligns = this.#columns.map(({ align }) => align ?? 'left')
    const style = { 'padding-left': 0, 'padding-right': gap, head: [], border: [], compact: true }
    const table = new CliTable({ chars: borderless, style, colAligns, colWidths: this.#widths })
    table.push(...rows)
    return `${table.toString().replace(/ +$/gm, '')}\n`
  }
}

/** A table that is there at once. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], color: boolean): string {
  return new Table(columns, color).page(rows)
}

/** Names above one thing's values, one line each. */
export function facts(entries: readonly (readonly [name: string, value: string | number])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 1 + gap
  return entries.map(([name, value]) => `${`${name}:`.padEnd(width)}${visible(String(value))}\n`).join('')
}

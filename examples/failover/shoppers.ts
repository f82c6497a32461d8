/**
 * The shoppers of failover.sh: `node shoppers.ts NODE NODE`. Each line of its input is the name of a scene, which lasts until the
 * next line, and with which some more shoppers come. It tells how many carts were intact in each, and ends with 0 if all were.
 */
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { styleText } from 'node:util'

import { SteadyShopper } from './steady-shopper.ts'

const FIRST = 5
const MORE = 3
/** Milliseconds between two purchases of one shopper. */
const PAUSE = 100

const nodes = process.argv.slice(2)
const shoppers: SteadyShopper[] = []
const ending = new AbortController()
const walks: Promise<void>[] = []
let scene = ''
let isIntact = true
let boughtBefore = 0

print(styleText('dim', columns('WHAT HAPPENS', 'BOUGHT', 'NEW AT', 'CARTS INTACT')))
for await (const next of createInterface(process.stdin)) {
  tell()
  scene = next
  join(shoppers.length === 0 ? FIRST : MORE)
}
tell()
ending.abort()
await Promise.all(walks)
process.exitCode = isIntact ? 0 : 1

function join(count: number): void {
  for (let n = 0; n < count; n++) {
    const shopper = new SteadyShopper(nodes, n)
    shoppers.push(shopper)
    walks.push(walk(shopper))
  }
}

async function walk(shopper: SteadyShopper): Promise<void> {
  while (!ending.signal.aborted) {
    await shopper.buy().catch((error: Error) => {
      shopper.isIntact = false
      print(`  ${styleText('red', error.message)}`)
    })
    await delay(PAUSE * (0.5 + Math.random()), undefined, { signal: ending.signal }).catch(() => undefined)
  }
}

/** What came of the scene that ends. */
function tell(): void {
  if (scene === '') return
  const bought = shoppers.reduce((sum, { items }) => sum + items, 0)
  const intact = shoppers.filter((shopper) => shopper.isIntact).length
  const bar = styleText('green', '█'.repeat(intact)) + styleText('red', '░'.repeat(shoppers.length - intact))
  print(
    columns(scene, `${bought - boughtBefore}`, homes(shoppers.slice(-MORE)), `${bar} ${intact} of ${shoppers.length}`),
  )
  boughtBefore = bought
  isIntact &&= intact === shoppers.length
}

/** How many of these have their carts where, as `a2 b2 c2`. */
function homes(newcomers: readonly SteadyShopper[]): string {
  const counts = ['a', 'b', 'c'].map((id) => [id, newcomers.filter(({ application }) => application === id).length])
  return counts.map(([id, count]) => (count === 0 ? '  ' : `${id}${count}`)).join(' ')
}

function columns(what: string, bought: string, newcomers: string, carts: string): string {
  return `  ${what.padEnd(28)}${bought.padStart(6)}  ${newcomers.padEnd(10)}${carts}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

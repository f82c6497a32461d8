import { styleText } from 'node:util'

import type { DemoNodes } from './nodes.ts'
import type { Step, Tally } from './scenes.ts'

const print = (line = ''): void => void process.stdout.write(`${line}\n`)
const bold = (text: string): string => styleText('bold', text)
const faint = (text: string): string => styleText('dim', text)
const good = (text: string): string => styleText('green', text)
const bad = (text: string): string => styleText('red', text)

/** Who takes part. */
export function showCast({ nodes, store }: DemoNodes): void {
  print(`${bold('Sticky')}  one session table under two nodes`)
  print()
  print(`  applications  a, b, c ${faint('(carts in their own memory, none shared)')}`)
  for (const node of nodes) print(`  node ${node.name}       ${node.url}`)
  print(`  store         ${store}`)
  print()
  print(`  ${faint(columns('REQUEST', 'NODE', 'BACKEND', 'CART').trimEnd())}`)
}

/** One request and what came of it. */
export function showStep(step: Step): void {
  const line = columns(`${step.shopper} buys ${step.item}`, step.node, step.application, step.cart.join(', '))
  print(`  ${line} ${step.isIntact ? good('✓') : bad('✗ items lost')}`)
}

/** With us, and without. */
export function showComparison(sticky: Tally, astray: Tally): void {
  print()
  print(`  ${sticky.shoppers} shoppers at once, 5 requests each, through both nodes in turn:`)
  print(`    with affinity           ${tally(sticky)}`)
  print(`    round robin without it  ${tally(astray)}`)
  print()
}

/** What to try while it stays up. */
export function showWhatToTry({ nodes: [first, second] }: DemoNodes): void {
  print(`  ${bold('Try it')} ${faint('(Ctrl-C ends everything)')}`)
  print()
  print(`    curl -b jar -c jar -d item=tea ${first.url}/cart`)
  print(`    curl -b jar -c jar -d item=jam ${second.url}/cart`)
  print()
  const cli = 'npx -y pnpm@12 -s sticky-cli'
  print(`    ${cli} sessions --admin ${first.admin}`)
  print(`    ${cli} sessions watch --admin ${first.admin}`)
  print(`    ${cli} nodes --admin ${second.admin}`)
}

/** What went wrong, in one sentence. */
export function showFailure(sentence: string): void {
  process.stderr.write(`demo: ${sentence}\n`)
}

function columns(request: string, node: string, backend: string, cart: string): string {
  return `${request.padEnd(18)}${node.padEnd(6)}${backend.padEnd(9)}${cart.padEnd(15)}`
}

function tally({ shoppers, intact }: Tally): string {
  const bar = good('█'.repeat(intact)) + bad('░'.repeat(shoppers - intact))
  return `${bar}  ${intact} of ${shoppers} carts intact`
}

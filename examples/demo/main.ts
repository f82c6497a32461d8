import { once } from 'node:events'
import { parseArgs } from 'node:util'

import { CartApplication } from './cart-application.ts'
import type { DemoEnvironment, DemoNodes } from './nodes.ts'
import { nodesAsProcesses } from './nodes-as-processes.ts'
import { nodesInOneProcess } from './nodes-in-one-process.ts'
import { familiarPorts } from './ports.ts'
import { crowd, fillCarts } from './scenes.ts'
import { showCast, showComparison, showFailure, showStep, showWhatToTry } from './screen.ts'
import { sites } from './sites.ts'

const usage = 'usage: demo [--redis URL] [--once]'

interface Wishes {
  readonly redis?: string | undefined
  readonly once?: boolean | undefined
}

const wishes = readWishes()
if (wishes) process.exitCode = await run(wishes)
else process.exitCode = 2

/** The exit code: 0 when every cart that should be whole was. */
async function run(wishes: Wishes): Promise<number> {
  const ended = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)))
  try {
    await using stage = new AsyncDisposableStack()
    const nodes = stage.use(await startNodes(await startApplications(stage), wishes.redis))
    const intact = await Promise.race([perform(nodes), ended])
    if (typeof intact !== 'boolean') return 0
    if (wishes.once) return intact ? 0 : 1
    showWhatToTry(nodes)
    await ended
    return 0
  } catch (error) {
    showFailure((error as Error).message)
    return 1
  }
}

async function perform(nodes: DemoNodes): Promise<boolean> {
  showCast(nodes)
  let isIntact = true
  for await (const step of fillCarts(nodes.nodes)) {
    showStep(step)
    isIntact &&= step.isIntact
  }
  const sticky = await crowd(sites.sticky, nodes.nodes)
  showComparison(sticky, await crowd(sites.astray, nodes.nodes))
  return isIntact && sticky.intact === sticky.shoppers
}

async function startApplications(stage: AsyncDisposableStack): Promise<DemoEnvironment> {
  const start = (name: string) => stage.use(new CartApplication(name)).listen(0, '127.0.0.1')
  return { CART_A: await start('a'), CART_B: await start('b'), CART_C: await start('c') }
}

async function startNodes(environment: DemoEnvironment, redis: string | undefined): Promise<DemoNodes> {
  const ports = await familiarPorts()
  return redis ? await nodesAsProcesses(environment, ports, redis) : await nodesInOneProcess(environment, ports)
}

function readWishes(): Wishes | undefined {
  try {
    return parseArgs({ options: { redis: { type: 'string' }, once: { type: 'boolean' } } }).values
  } catch (error) {
    showFailure(`${(error as Error).message}; ${usage}`)
    return undefined
  }
}

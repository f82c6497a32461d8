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

type Applications = Omit<DemoEnvironment, 'DEMO_STORE'>

interface Wishes {
  readonly redis?: string | undefined
  readonly once?: boolean | undefined
}

const wishes = readWishes()
if (wishes) process.exitCode = await run(wishes)
else process.exitCode = 2

/** The exit code: 0 when every cart that should be whole was, or when Ctrl-C ended what stays up. */
async function run(wishes: Wishes): Promise<number> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ending.abort())
  try {
    await using stage = new AsyncDisposableStack()
    const nodes = stage.use(await startNodes(await startApplications(stage), wishes.redis, ending.signal))
    const isIntact = await Promise.race([perform(nodes), aborted(ending.signal)])
    if (wishes.once) return isIntact ? 0 : 1
    showWhatToTry(nodes)
    return await aborted(ending.signal)
  } catch (error) {
    if (ending.signal.aborted) return wishes.once ? 130 : 0
    showFailure((error as Error).message)
    return 1
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
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

async function startApplications(stage: AsyncDisposableStack): Promise<Applications> {
  const start = (name: string) => stage.use(new CartApplication(name)).listen(0, '127.0.0.1')
  return { CART_A: await start('a'), CART_B: await start('b'), CART_C: await start('c') }
}

async function startNodes(
  applications: Applications,
  redis: string | undefined,
  signal: AbortSignal,
): Promise<DemoNodes> {
  const environment = { ...applications, DEMO_STORE: redis ?? 'memory:' }
  const options = { environment, ports: await familiarPorts(), signal }
  return redis === undefined ? await nodesInOneProcess(options) : await nodesAsProcesses(options)
}

function readWishes(): Wishes | undefined {
  try {
    return parseArgs({ options: { redis: { type: 'string' }, once: { type: 'boolean' } } }).values
  } catch (error) {
    showFailure(`${(error as Error).message}; ${usage}`)
    return undefined
  }
}

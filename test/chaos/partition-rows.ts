import type { ProxyNode } from '../support/proxy-node.ts'
import { expectQuiet, inFlightElsewhere, watchForNegatives } from './counts.ts'
import { Namespace } from './namespace.ts'
import type { Row } from './row.ts'
import { Stage } from './stage.ts'
import { expectUsualTimes } from './times.ts'
import type { Trial } from './trial.ts'
import { openSockets, stillOpen } from './web-sockets.ts'

const LEASE = 6_000
const SOCKETS = 50

/** A node that cannot reach Redis while others can. */
export const partitionRows: readonly Row[] = [
  {
    number: 9,
    name: 'One node cut off from Redis',
    does: `its link to Redis is taken down while it has ${SOCKETS} WebSockets`,
    passes:
      'no error on either side, nobody moved; others drop its counts within its lease, and see them again when it is back; no count is negative or twice there; p99 at most twice the usual after 1 s',
    async run(trial) {
      const { stage, cut, heal } = await cutOff(trial)
      const [lonely, other] = stage.nodes
      const sockets = await openSockets(trial, stage, lonely!, SOCKETS)
      await trial.under(stage.load())
      const negative = watchForNegatives(trial, other!)
      await trial.fault(cut)
      const others = () => inFlightElsewhere(other!)
      await trial.within('others drop its counts', others, (count) => count <= 0, LEASE + 1_000)
      await trial.stands()
      await trial.heal(heal)
      await trial.recovers(
        'it finds Redis again',
        () => missing(lonely!),
        (roles) => roles.length === 0,
        5_000,
      )
      await trial.recovers('others see its counts again', others, (count) => count >= SOCKETS, 10_000)
      await trial.calm()
      trial.expect('no count is negative', negative() === 0)
      trial.expectServed()
      trial.expectAtHome()
      trial.expect('every WebSocket lives on', stillOpen(sockets) === SOCKETS, stillOpen(sockets))
      // The admin API of the other one is in its own namespace.
      await expectQuiet(trial, [other!], { left: SOCKETS })
      expectUsualTimes(trial)
    },
  },
]

/** By its log, the ways to Redis that it has lost and not found again; its admin API may be in a namespace of its own. */
function missing({ lines }: ProxyNode): string[] {
  const last = new Map(lines.filter(({ msg }) => /^store (lost|found)$/.test(msg)).map(({ role, msg }) => [role, msg]))
  return Array.from(last).flatMap(([role, msg]) => (msg === 'store lost' ? [`${role}`] : []))
}

interface CutOff {
  readonly stage: Stage
  readonly cut: () => void
  readonly heal: () => void
}

/** Two nodes, the first of which can be cut off from Redis: in a namespace of its own where the machine allows it. */
async function cutOff(trial: Trial): Promise<CutOff> {
  const namespace = Namespace.create()
  if (namespace !== undefined) return inNamespace(trial, namespace)
  trial.note('network namespaces are not allowed here: a fault proxy swallows all instead')
  const stage = trial.stack.use(await Stage.open({ through: 'fault-proxies' }))
  return { stage, cut: () => stage.ways[0]!.blackhole(), heal: () => stage.ways[0]!.flow() }
}

async function inNamespace(trial: Trial, namespace: Namespace): Promise<CutOff> {
  trial.note('by network namespaces')
  trial.stack.use(namespace)
  const options = { host: namespace.outside, hosts: [namespace.inside], surroundings: [namespace.surroundings] }
  const stage = trial.stack.use(await Stage.build(options))
  const usual = stage.configuration(0)
  const store = { ...usual.store, url: `redis://${await namespace.wayTo(stage.redis.port)}` }
  const lonely = { ...usual, store, listen: [{ address: `${namespace.inside}:0` }] }
  stage.nodes = await Promise.all([stage.startNode(0, lonely), stage.startNode(1)])
  return { stage, cut: () => namespace.cut(), heal: () => namespace.heal() }
}

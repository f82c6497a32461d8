import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

import type { ProxyNode } from '../support/proxy-node.ts'
import { expectQuiet, inFlightElsewhere } from './counts.ts'
import type { Row } from './row.ts'
import { SHUTDOWN, Stage } from './stage.ts'
import { openSockets } from './web-sockets.ts'

const SOCKETS = 50

/** Nodes that are told to end. */
export const endingRows: readonly Row[] = [
  {
    number: 20,
    name: 'SIGTERM',
    does: 'ten times over, of one of two nodes with 50 WebSockets; whoever is refused a connection asks the other node',
    passes:
      'no request fails, nobody moved; exit code 0 within shutdownTimeout, until when its WebSockets live, which are told 1001; its counts are gone with it',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const [leaver, other] = stage.nodes as [ProxyNode, ProxyNode]
      const load = stage.load()
      const sockets = await openSockets(trial, stage, leaver, SOCKETS)
      const closed = Promise.all(sockets.map(async (socket) => (await once(socket, 'close'))[0] as number))
      await trial.under(load)
      await trial.fault(() => Array.from({ length: 10 }).forEach(() => void leaver.signal('SIGTERM')))
      const code = await Promise.race([leaver.exit(), delay(2 * SHUTDOWN, 'nothing yet')])
      const took = performance.now() - trial.faultAt
      trial.expect('it ends with 0', code === 0, code)
      trial.expectInTime('it ends within shutdownTimeout, and a second to say so', took <= SHUTDOWN + 1_000, took)
      trial.note(`ended after ${(took / 1000).toFixed(1)} s, ${load.refused} connections were refused`)
      const codes = await Promise.race([closed, delay(1_000, [])])
      const areTold = codes.length === SOCKETS && codes.every((told) => told === 1001)
      trial.expect('every WebSocket is told 1001', areTold, [...new Set(codes)])
      const others = () => inFlightElsewhere(other)
      await trial.recovers('its counts are gone', others, (count) => count <= 0, took + 1_000)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, [other])
    },
  },
  {
    number: 21,
    name: 'Rolling restart of all nodes',
    does: 'three nodes, each ended by SIGTERM and started again on its port',
    passes: 'no error, nobody moved',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ nodes: 3 }))
      await trial.under(stage.load())
      await trial.fault(async () => {
        for (const [place, node] of stage.nodes.entries()) {
          const listen = [{ address: `127.0.0.1:${node.port}` }]
          node.signal('SIGTERM')
          trial.expect(`node ${place + 1} ends with 0`, (await node.exit()) === 0)
          const next = await stage.startNode(place, { ...stage.configuration(place), listen })
          stage.nodes = stage.nodes.with(place, next)
          await delay(trial.form.during / 10)
        }
      })
      await trial.heal(() => undefined)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes)
    },
  },
]

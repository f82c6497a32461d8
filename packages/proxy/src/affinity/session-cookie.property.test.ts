import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Browser, Cluster, type Node, sessionCookieConfig } from './cluster.test-support.ts'

const age = 60_000

/** What may befall a session between or during two requests of its client. */
type Event =
  | { readonly kind: 'visit'; readonly node: number }
  | { readonly kind: 'home fails'; readonly node: number; readonly to: string; readonly storeGoes: boolean }
  | { readonly kind: 'time passes'; readonly by: number }
  | { readonly kind: 'store goes' | 'store comes' | 'store forgets' }
  | { readonly kind: 'key rotates'; readonly secrets: readonly string[] }

test('a session moves only when its home fails, whatever happens to its store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 30 }), async (events) => {
      const { cluster, nodes, browser } = await begun()
      let home = 'a'

      for (const event of events) {
        home = await befall(event, { cluster, nodes, browser, home })
        const session = await nodes[0].locate(browser.cookie)
        expect(session).toMatchObject({ known: true, home: [home] })
      }
    }),
    { numRuns: 200 },
  )
})

const anyNode = fc.nat(1)
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('visit' as const), node: anyNode }), weight: 4 },
  fc.record({
    kind: fc.constant('home fails' as const),
    node: anyNode,
    to: fc.constantFrom('a', 'b', 'c'),
    storeGoes: fc.boolean(),
  }),
  // Less than half an age altogether between two requests, as each event here is followed by one.
  fc.record({ kind: fc.constant('time passes' as const), by: fc.integer({ min: 1, max: age / 3 }) }),
  fc.record({
    kind: fc.constant('key rotates' as const),
    secrets: fc.constantFrom(['one', 'two'], ['two', 'one']),
  }),
  fc.record({ kind: fc.constantFrom('store goes', 'store comes', 'store forgets') }),
)

interface World {
  readonly cluster: Cluster
  readonly nodes: readonly [Node, Node]
  readonly browser: Browser
  readonly home: string
}

/** Lets it happen, and one request follow; answers where the session lives then. */
async function befall(event: Event, { cluster, nodes, browser, home }: World): Promise<string> {
  if (event.kind === 'home fails') {
    const meanwhile = (): void => {
      cluster.away ||= event.storeGoes
    }
    await browser.visit(nodes[event.node]!, { by: event.to, meanwhile })
    return event.to
  }
  if (event.kind === 'time passes') cluster.now += event.by
  if (event.kind === 'store goes') cluster.away = true
  if (event.kind === 'store comes') cluster.away = false
  if (event.kind === 'store forgets') cluster.forget()
  if (event.kind === 'key rotates') {
    for (const { keyring } of nodes) keyring.update({ secrets: event.secrets, openedByAll: [] })
  }
  await browser.visit(nodes[event.kind === 'visit' ? event.node : 1]!)
  return home
}

async function begun(): Promise<Omit<World, 'home'>> {
  const cluster = new Cluster()
  const config = sessionCookieConfig({ age })
  const secrets = ['one', 'two']
  const nodes = [cluster.node(config, { secrets }), cluster.node(config, { secrets })] as const
  const browser = new Browser()
  await browser.visit(nodes[0], { by: 'a', sets: ['id=1'] })
  return { cluster, nodes, browser }
}

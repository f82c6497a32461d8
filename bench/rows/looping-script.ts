import { loadRow } from './load.ts'
import type { Row } from './row.ts'

/** What an isolated script that never ends for some requests costs the others: look at their p99. */
export const loopingScript: Row = loadRow({
  id: 'looping-script',
  title: 'Isolated script, with and without requests for which it never ends',
  path: '/',
  sessions: 'known',
  kinds: ['sticky-isolated-script', 'sticky-looping-script'],
  reference: 'sticky-isolated-script',
  // So few that a thread on the same core answers within the script's limit.
  connections: 4,
})

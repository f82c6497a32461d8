import { loadRow } from './load.ts'
import type { Row } from './row.ts'

/** What each strategy costs the everyday request, beside session-cookie. */
export const strategies: Row = loadRow({
  id: 'strategies',
  title: 'Known session, by strategy',
  path: '/',
  sessions: 'known',
  kinds: [
    'sticky',
    'sticky-companion-cookie',
    'sticky-persistence-key',
    'sticky-clone-id',
    'sticky-instance-cookie',
    'sticky-instance-path',
    'sticky-script',
    'sticky-isolated-script',
  ],
  reference: 'sticky',
})

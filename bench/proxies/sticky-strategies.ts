import { fileURLToPath } from 'node:url'

import type { Strategy } from './sticky.ts'

// A script that runs out of time leaves the request to the next strategy.
const cloneId = '{ strategy: clone-id, separators: "." }'
const script = fileURLToPath(new URL('../scripts/persist.ts', import.meta.url))

/** Every strategy besides session-cookie, each keeping the bench's sessions in its own way. */
export const strategies: readonly Strategy[] = [
  {
    kind: 'sticky-companion-cookie',
    name: ', companion-cookie',
    affinity: ['{ strategy: companion-cookie, triggers: [JSESSIONID] }'],
  },
  {
    kind: 'sticky-persistence-key',
    name: ', persistence-key',
    affinity: ['{ strategy: persistence-key, from: [{ cookie: JSESSIONID }] }'],
  },
  { kind: 'sticky-clone-id', name: ', clone-id', affinity: [cloneId] },
  { kind: 'sticky-instance-cookie', name: ', instance-cookie', affinity: ['{ strategy: instance-cookie, start: / }'] },
  {
    kind: 'sticky-instance-path',
    name: ', instance-path',
    affinity: ['{ strategy: instance-path, start: /start }'],
    path: '/a/',
  },
  { kind: 'sticky-script', name: ', script', affinity: [`{ strategy: script, script: ${script} }`] },
  {
    kind: 'sticky-isolated-script',
    name: ', isolated script',
    affinity: [`{ strategy: script, script: ${script}, isolate: true }`, cloneId],
  },
  {
    kind: 'sticky-looping-script',
    name: ', isolated script that loops now and then',
    affinity: [`{ strategy: script, script: ${script}, isolate: true }`, cloneId],
    loops: true,
  },
]

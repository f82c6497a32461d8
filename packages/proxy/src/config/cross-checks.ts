import { checkAffinity } from './checks/affinity.ts'
import { checkBackendTls } from './checks/backend-tls.ts'
import { checkCloneIds } from './checks/clone-ids.ts'
import { checkHealth } from './checks/health.ts'
import { checkInstancePaths } from './checks/instance-paths.ts'
import { checkInstances } from './checks/instances.ts'
import { checkListeners } from './checks/listeners.ts'
import { checkPools } from './checks/pools.ts'
import { checkRoutes } from './checks/routes.ts'
import { checkStore } from './checks/store.ts'
import type { Draft } from './draft.ts'
import type { Mistake } from './mistakes.ts'

/** Mistakes that only show when several values are looked at together. */
export function crossCheck(draft: Draft): Mistake[] {
  const mistakes: Mistake[] = []
  for (const check of [
    checkListeners,
    checkStore,
    checkPools,
    checkHealth,
    checkBackendTls,
    checkCloneIds,
    checkInstances,
    checkInstancePaths,
    checkAffinity,
    checkRoutes,
  ]) {
    check(draft, (path, problem, detail) => mistakes.push({ path, problem, detail }))
  }
  return mistakes
}

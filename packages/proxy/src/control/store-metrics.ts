import type { Store } from '@sticky/store'

import type { Metric } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'

/** How this process' ways to the store fare. */
export function storeMetrics(store: Store): Metric[] {
  const roles = (store.roles?.() ?? []).map(({ role, ...state }) => ({ labels: { role }, ...state }))
  return [
    single(catalogue.storeUp, store.available ? 1 : 0),
    metric(
      catalogue.storeRoleUp,
      roles.map(({ labels, available }) => ({ labels, value: available ? 1 : 0 })),
    ),
    metric(
      catalogue.storeLate,
      roles.map(({ labels, late }) => ({ labels, value: late })),
    ),
    metric(
      catalogue.storeDegraded,
      roles.map(({ labels, away }) => ({ labels, value: away / 1000 })),
    ),
    single(
      catalogue.storeWritesRefused,
      roles.reduce((sum, { refusedWrites }) => sum + refusedWrites, 0),
    ),
  ]
}

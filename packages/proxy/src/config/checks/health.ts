import { type Draft, type DraftPool, isTakenOut } from '../draft.ts'
import type { Report } from '../mistakes.ts'

/** Keys that say something of a request, or of its answer. */
const ofRequests = ['path', 'method', 'host', 'status', 'body'] as const

/** What a health check asks for is asked, and nothing is said of checks that nobody makes. */
export function checkHealth({ pools }: Draft, report: Report): void {
  for (const [id, pool] of Object.entries(pools ?? {})) {
    if (pool === undefined) continue
    checkPool(id, pool, report)
    checkBackends(id, pool, report)
  }
}

function checkPool(id: string, { healthCheck }: DraftPool, report: Report): void {
  if (healthCheck === undefined || isTakenOut(healthCheck, 'type')) return
  if (healthCheck.method === 'HEAD' && 'body' in healthCheck)
    report(['pools', id, 'healthCheck', 'body'], 'needs another method than HEAD, whose answers have none')
  if (asksRequests(healthCheck)) return
  for (const key of ofRequests.filter((name) => healthCheck[name] !== undefined)) {
    const path = ['pools', id, 'healthCheck', key]
    report(path, 'needs type: http beside it, or a path; otherwise only a connection is made')
  }
}

function checkBackends(id: string, pool: DraftPool, report: Report): void {
  if (isTakenOut(pool, 'healthCheck')) return
  pool.backends?.forEach((backend, index) => {
    const { healthCheck: own = {} } = backend ?? {}
    const path = ['pools', id, 'backends', index, 'healthCheck']
    if (pool.healthCheck === undefined) {
      if (Object.keys(own).length > 0) report(path, 'needs a healthCheck of the pool, of which it is a part')
    } else if (own.path !== undefined && !asksRequests(pool.healthCheck) && !isTakenOut(pool.healthCheck, 'type'))
      report([...path, 'path'], 'needs type: http in the healthCheck of the pool')
  })
}

function asksRequests(check: Readonly<Record<string, unknown>>): boolean {
  return check.type === 'http' || (check.type === undefined && 'path' in check)
}

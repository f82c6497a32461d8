import type { Draft, DraftBackendTls } from '../draft.ts'
import type { Path, Report } from '../mistakes.ts'

/** What is said of backends over TLS fits together: a certificate goes with a key, authorities with being asked. */
export function checkBackendTls({ pools }: Draft, report: Report): void {
  for (const [id, pool] of Object.entries(pools ?? {})) {
    if (pool?.tls) check(pool.tls, ['pools', id, 'tls'], report)
    pool?.backends?.forEach((backend, index) => {
      if (!backend?.tls) return
      const path = ['pools', id, 'backends', index, 'tls']
      check(backend.tls, path, report)
      const saysNothing = Object.keys(backend.tls).length === 0
      if (backend.url?.startsWith('http://') && !saysNothing) report(path, 'needs a url that begins with https://')
    })
  }
}

function check(tls: DraftBackendTls, path: Path, report: Report): void {
  if (Object.hasOwn(tls, 'cert') && !Object.hasOwn(tls, 'key')) report([...path, 'cert'], 'needs its key beside it')
  if (Object.hasOwn(tls, 'key') && !Object.hasOwn(tls, 'cert')) report([...path, 'key'], 'needs its cert beside it')
  if (tls.insecure === true && tls.ca !== undefined)
    report([...path, 'insecure'], 'asks no authority; leave it out, or ca')
}

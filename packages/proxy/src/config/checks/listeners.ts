import { isLoopback, overlaps, parseAddress, parseAdminAddress } from '../address.ts'
import type { Address } from '../config.ts'
import { type Draft, type DraftListener, isTakenOut } from '../draft.ts'
import { Flaw } from '../flaw.ts'
import { type Path, type Report, showPath } from '../mistakes.ts'

/** Who may connect where: PROXY protocol goes with ranges, an admin API that others can reach with a token. */
export function checkListeners(draft: Draft, report: Report): void {
  draft.listen?.forEach((listener, index) => {
    if (listener) checkProxyProtocol(listener, ['listen', index], report)
  })
  checkAdmin(draft, report)
  checkAddresses(draft, report)
}

function checkProxyProtocol(listener: DraftListener, path: Path, report: Report): void {
  const ranges = Object.hasOwn(listener, 'from') && listener.from?.length !== 0
  if (listener.proxyProtocol === true && !ranges) {
    report(
      [...path, 'proxyProtocol'],
      'needs from, the addresses of the balancers in front, such as from: [10.0.0.0/8]',
    )
  }
  if (listener.from !== undefined && listener.proxyProtocol !== true && !isTakenOut(listener, 'proxyProtocol')) {
    report([...path, 'from'], 'needs proxyProtocol: true beside it; without that anybody may connect')
  }
}

function checkAdmin(draft: Draft, report: Report): void {
  const admin = draft.admin || {}
  if (!admin.address || Object.hasOwn(admin, 'token')) return
  const address = parseAdminAddress(admin.address)
  const open = !(address instanceof Flaw) && 'host' in address && !isLoopback(address.host)
  if (open)
    report(['admin', 'address'], 'needs admin.token beside it, or an address on loopback: others can reach it here')
}

function checkAddresses({ listen, admin }: Draft, report: Report): void {
  const taken: { address: Address; path: Path }[] = []
  const places: [string | undefined, Path][] = (listen ?? []).map((listener, index) => [
    listener?.address,
    ['listen', index, 'address'],
  ])
  if (admin) places.push([admin.address, ['admin', 'address']])
  for (const [text, path] of places) {
    const address = parseAddress(text ?? '')
    if (address instanceof Flaw || address.port === 0) continue
    const other = taken.find((earlier) => overlaps(earlier.address, address))
    if (other) report(path, `must be an address of its own, unlike ${showPath(other.path)}`)
    taken.push({ address, path })
  }
}

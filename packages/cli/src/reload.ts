import type { NameChanges, ReloadReport, RestartReport } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument } from './output.ts'

/** `sticky-cli reload`: the node that answers reads its configuration anew. */
export async function reload({ api, output }: CommandContext): Promise<void> {
  const report = await api.reload()
  await printDocument(output, report, () => toldChanges(report))
  if (report.needRestart.length === 0) return
  output.note(`${report.node} keeps these as they were until it is started again: ${report.needRestart.join(', ')}`)
}

/** `sticky-cli nodes restart`: the node that answers replaces its workers, one after the other. */
export async function restartWorkers({ api, output }: CommandContext, query: { node?: string }): Promise<void> {
  const report = await api.restartWorkers(query)
  await printDocument(output, report, () => toldRestart(report))
}

function toldRestart({ node, workers }: RestartReport): string {
  return `${node}: ${workers === 1 ? '1 worker' : `${workers} workers`} replaced\n`
}

function toldChanges({ node, pools, backends, listeners, settings }: ReloadReport): string {
  const lines = [
    ...namesTold('pool', pools),
    ...namesTold('backend', backends),
    ...namesTold('listener', listeners),
    ...settings.map((key) => `${key} changed`),
  ]
  return `${node}: ${lines.length === 0 ? 'nothing changed' : 'reloaded'}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function namesTold(kind: string, { added, removed, changed }: NameChanges): string[] {
  const told = (names: readonly string[], what: string): string[] => names.map((name) => `${kind} ${name} ${what}`)
  return [...told(added, 'added'), ...told(removed, 'removed'), ...told(changed, 'changed')]
}

import type {
  Destination,
  ExplainedBackend,
  ExplainedRefusal,
  ExplainedRoute,
  ExplainQuestion,
  Explanation,
  HeadChanges,
} from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument, visible } from './output.ts'
import { type Clock, timeSince, timeUntil } from './times.ts'

/** `sticky-cli explain URL`: what would become of a request, and why. */
export async function explain({ api, output, clock }: CommandContext, question: ExplainQuestion): Promise<void> {
  const explanation = await api.explain(question)
  await printDocument(output, explanation, () => text(explanation, clock))
}

function text(explanation: Explanation, clock: Clock): string {
  const { route, pool, to, ifAway, backends } = explanation
  return aligned([
    ['request', [requestOf(explanation)]],
    ['route', route !== null ? [routeOf(route)] : pool === null ? [] : ['none: the pool is the fallback']],
    ['pool', pool === null ? [] : [pool]],
    ['session', sessionOf(explanation, clock)],
    ['home', homeOf(explanation)],
    ['to', [destination(to, backends)]],
    ['sent', sentOf(explanation)],
    ['response', responseOf(explanation)],
    ['if away', ifAway === null ? [] : [insteadOf(to, destination(ifAway, backends))]],
  ])
}

function aligned(entries: readonly (readonly [name: string, lines: readonly string[]])[]): string {
  const lines = entries.flatMap(([name, lines]) => lines.map((line, at) => [at === 0 ? `${name}:` : '', line] as const))
  return lines.map(([name, line]) => `${name.padEnd(11)}${visible(line)}\n`).join('')
}

function requestOf({ request }: Explanation): string {
  if (request === null) return 'malformed'
  const { method, target, host, client, secure } = request
  return `${method} ${target} at ${host === '' ? 'no host' : host}, from ${client}${secure ? ' over TLS' : ''}`
}

function routeOf({ index, match }: ExplainedRoute): string {
  const { host = [], path = [], pattern } = match
  const asked = [
    ...(host.length === 0 ? [] : [`host ${host.join(' or ')}`]),
    ...(path.length === 0 ? [] : [`path ${path.map((one) => one.path).join(' or ')}`]),
    ...(pattern === undefined ? [] : [`pattern ${pattern}`]),
  ]
  return `routes[${index}], for ${asked.length === 0 ? 'every request' : asked.join(', ')}`
}

function sessionOf({ session }: Explanation, clock: Clock): string[] {
  if (session === null) return []
  const [first, ...others] = session.reason.split('\n')
  const said = [`${session.known ? 'known' : 'new'}; ${first}`, ...others]
  if (session.row === null) return said
  const { created, expires, endsWithLastCookie } = session.row
  const ends = `ends in ${timeUntil(expires, clock())} unless it is used`
  return [
    ...said,
    `began ${timeSince(created, clock())} ago, ${ends}${endsWithLastCookie ? ', and with its last cookie' : ''}`,
  ]
}

/** Said of a home that does not get the request. */
function homeOf({ session, to, backends }: Explanation): string[] {
  const [home] = session?.home ?? []
  if (home === undefined || ('backend' in to && to.backend === home)) return []
  const backend = backends.find(({ id }) => id === home)
  return [`${home}, ${backend === undefined ? 'which this node does not know' : `which is ${standing(backend)}`}`]
}

function standing({ state, check }: ExplainedBackend): string {
  return state === 'down' && check?.up === false && check.reason !== null ? `${state}: ${check.reason}` : state
}

function destination(to: Destination | ExplainedRefusal, backends: readonly ExplainedBackend[]): string {
  if ('refusal' in to) return `nobody: ${to.status} ${to.text} (${to.refusal})`
  const { backend, why, policy, certain, candidates } = to
  if (why === 'home') return `${backend}, its home`
  if (why === 'stand-in') return `${backend}, which stands in for its home`
  if (!candidates.includes(backend)) return `${backend}, a backup`
  if (candidates.length === 1) return `${backend}, the only one it can go to`
  const among = backends.filter(({ id }) => candidates.includes(id)).map(loadOf)
  return `${certain ? backend : candidates.join(' or ')}, by ${policy} among ${among.join(', ')}`
}

/** Where several might be chosen, it is one of them that is thought to be away. */
function insteadOf(to: Destination | ExplainedRefusal, next: string): string {
  return 'refusal' in to || to.certain ? next : `instead of ${to.backend}: ${next}`
}

function loadOf({ id, weight, inFlight, sessions }: ExplainedBackend): string {
  return `${id} (${inFlight ?? '-'} in flight, ${sessions ?? '-'} sessions, weight ${weight})`
}

function sentOf({ request, sent }: Explanation): string[] {
  if (sent === null) return []
  const target = sent.target === request?.target ? [] : [`with target ${sent.target}`]
  return orUnchanged([...target, ...changed(sent)])
}

function responseOf({ session, response }: Explanation): string[] {
  if (response === null) return []
  const lines = orUnchanged(changed(response))
  if (response.awaitsBody) lines.push('once affinity has read how its body begins')
  return [...lines, `${response.taken ? 'in the session' : 'no session begins'}, persist ${session?.persistence}`]
}

function changed({ removed, added }: HeadChanges): string[] {
  return [...removed.map((line) => `without ${line}`), ...added.map((line) => `with ${line}`)]
}

function orUnchanged(lines: string[]): string[] {
  return lines.length === 0 ? ['as it came'] : lines
}

/** Thousandths of a second. */
export type Milliseconds = number

/** Tells the time, in milliseconds since 1970. */
export type Clock = () => Milliseconds

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads a duration such as `90s`, `5m` or `1h30m`; undefined when it is none. */
export function parseDuration(text: string): Milliseconds | undefined {
  if (!/^(?:\d+(?:ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(amount) * units[unit as keyof typeof units]
  return total
}

/** A duration as tables show it: one unit, or two where the second still matters, as kubectl does. Never negative. */
export function formatDuration(duration: Milliseconds): string {
  const [s, m, h, d] = [units.s, units.m, units.h, units.d].map((unit) => Math.floor(Math.max(0, duration) / unit))
  if (s! < 120) return `${s}s`
  if (m! < 10) return withRest(m!, 'm', s! % 60, 's')
  if (h! < 2) return `${m}m`
  if (h! < 8) return withRest(h!, 'h', m! % 60, 'm')
  if (h! < 48) return `${h}h`
  return d! < 8 ? withRest(d!, 'd', h! % 24, 'h') : `${d}d`
}

function withRest(amount: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${amount}${unit}` : `${amount}${unit}${rest}${restUnit}`
}

/** A duration as JSON carries it: seconds, fractions kept to the millisecond. */
export function seconds(duration: Milliseconds): number {
  return Math.round(duration) / 1000
}

/** A moment as JSON and tables carry it: RFC 3339, UTC. */
export function timestamp(moment: Milliseconds): string {
  return new Date(moment).toISOString()
}

/** How long ago a timestamp was, as tables show it. */
export function timeSince(moment: string, now: Milliseconds): string {
  return formatDuration(now - Date.parse(moment))
}

/** How far ahead a timestamp is, as tables show it. */
export function timeUntil(moment: string, now: Milliseconds): string {
  return formatDuration(Date.parse(moment) - now)
}

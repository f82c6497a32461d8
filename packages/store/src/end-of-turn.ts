let waiting: (() => void)[] = []

/**
 * Calls back at the end of this turn of the event loop, together with all others who asked for it: what they write
 * leaves with one system call.
 */
export function atEndOfTurn(callback: () => void): void {
  if (waiting.push(callback) === 1) setImmediate(flush)
}

function flush(): void {
  const due = waiting
  waiting = []
  for (const callback of due) callback()
}

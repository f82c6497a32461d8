/** The value of a path parameter such as `;jsessionid=…`, in whatever segment it stands; undefined without one. */
export function pathParameter(path: string, name: string): string | undefined {
  let at = path.indexOf(';')
  for (; at >= 0; at = path.indexOf(';', at + 1)) {
    const equals = at + 1 + name.length
    if (path[equals] === '=' && path.startsWith(name, at + 1)) return decoded(valueAt(path, equals + 1))
  }
  return undefined
}

function valueAt(path: string, start: number): string {
  let end = start
  while (end < path.length && path[end] !== ';' && path[end] !== '/') end++
  return path.slice(start, end)
}

/** Some clients send the separator as %3A. */
function decoded(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The value of the first parameter of that name in a target's query; undefined without one. */
export function queryParameter(target: string, name: string): string | undefined {
  const query = target.indexOf('?')
  return query < 0 ? undefined : valueAfter(target, query, name, '&', '&')
}

/** The value of the first parameter of that name of any segment of a path, as in `/shop;jsessionid=A1/cart`; undefined without one. */
export function pathParameter(path: string, name: string): string | undefined {
  const parameters = path.indexOf(';')
  return parameters < 0 ? undefined : valueAfter(path, parameters, name, ';', '/')
}

/** What follows `name=` where a parameter begins: at `from`, or after a `separator`. `end` ends a value, too. */
function valueAfter(text: string, from: number, name: string, separator: string, end: string): string | undefined {
  for (let at = text.indexOf(name, from + 1); at >= 0; at = text.indexOf(name, at + 1)) {
    const value = at + name.length + 1
    const begins = at - 1 === from || text[at - 1] === separator
    if (begins && text[value - 1] === '=') return decoded(text.slice(value, endOf(text, value, separator, end)))
  }
  return undefined
}

function endOf(text: string, start: number, separator: string, end: string): number {
  let at = start
  while (at < text.length && text[at] !== separator && text[at] !== end) at++
  return at
}

/** Percent-encoded bytes as characters of latin-1, like all that comes from the wire; what encodes nothing is left alone. */
function decoded(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const longestLine = 1 << 20

/** The values of a stream of JSON lines, each as soon as its line is whole; holds one line at most. */
export async function* jsonLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    if (rest.length > longestLine) throw new SyntaxError('a line is longer than a MiB')
    for (const line of lines) yield JSON.parse(line)
  }
  if (rest !== '') throw new SyntaxError('the last line is not whole')
}

const batchLength = 16_384

/** Documents as JSON lines, some 16 KiB at a time, so that a long list costs few writes and little memory. */
export async function* lineBatches(documents: AsyncIterable<object>): AsyncGenerator<string> {
  let batch = ''
  for await (const document of documents) {
    batch += `${JSON.stringify(document)}\n`
    if (batch.length < batchLength) continue
    yield batch
    batch = ''
  }
  if (batch !== '') yield batch
}

/** Documents as JSON lines, each as soon as it is there. */
export async function* eachLine(documents: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const document of documents) yield `${JSON.stringify(document)}\n`
}

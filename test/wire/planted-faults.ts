import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import type { RequestWire } from './our-requests.ts'

/** A mistake some parser has made, as a change of ours. */
export interface Fault {
  readonly file: string
  /** Must occur exactly once, so that a fault cannot rot into no fault. */
  readonly original: string
  readonly mistake: string
}

const WIRE = fileURLToPath(new URL('../../packages/proxy/src/wire/', import.meta.url))

/** A copy of our parser with the fault in it; disposing removes it. */
export async function plant(fault: Fault): Promise<RequestWire & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'sticky-wire-'))
  const [reader, malformed] = await importFaulty(folder, fault).catch(async (error: unknown) => {
    await rm(folder, { recursive: true })
    throw error
  })
  return {
    RequestReader: reader.RequestReader,
    Malformed: malformed.Malformed,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

async function importFaulty(folder: string, fault: Fault): Promise<[Reader, MalformedModule]> {
  await cp(WIRE, folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, fault.file), faultyText(await readFile(join(WIRE, fault.file), 'utf8'), fault))
  const load = (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href)
  return [(await load('request-reader.ts')) as Reader, (await load('malformed.ts')) as MalformedModule]
}

type Reader = Pick<RequestWire, 'RequestReader'>
type MalformedModule = Pick<RequestWire, 'Malformed'>

function faultyText(text: string, fault: Fault): string {
  const parts = text.split(fault.original)
  if (parts.length !== 2)
    throw new Error(`${fault.file} has ${parts.length - 1} times what a fault replaces: ${fault.original}`)
  return parts.join(fault.mistake)
}

const PARSE_HEAD = 'export function parseRequestHead(text: string, limits: HeadLimits): ParsedRequest | Malformed {'

/** What parsers have been robbed by, each as one change of ours. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'Content-Length read by Number()': {
    file: 'framing.ts',
    original: 'if (!DIGITS.test(value)) return Malformed.lengthInvalid',
    mistake: '',
  },
  'a bare LF taken for a line end': {
    file: 'request-head.ts',
    original: PARSE_HEAD,
    mistake: `${PARSE_HEAD} text = text.replace(/(?<!\\r)\\n/g, '\\r\\n')`,
  },
  'Content-Length ignored beside Transfer-Encoding': {
    file: 'request-head.ts',
    original: 'if (this.length !== undefined) return Malformed.lengthAndCoding',
    mistake: '',
  },
  'folded lines taken for one': {
    file: 'request-head.ts',
    original: PARSE_HEAD,
    mistake: `${PARSE_HEAD} text = text.replace(/\\r\\n[ \\t]+/g, ' ')`,
  },
  'a chunk size of 0x read by parseInt()': {
    file: 'chunked.ts',
    original: '`^([0-9A-Fa-f]{1,',
    mistake: '`^((?:0x)?[0-9A-Fa-f]{1,',
  },
}

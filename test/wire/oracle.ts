import { type NodeHead, NodeParser, type ParserEvents } from './node-parser.ts'
import type { MessageRead, Reading } from './reading.ts'

/** Which requests the responses on a connection answer. */
export interface Asked {
  readonly method: string
  readonly upgrade: boolean
}

/** Reads a connection's bytes with Node's own strict parser, to be compared with our reading of the same bytes. */
export class Oracle implements ParserEvents {
  readonly #parser: NodeParser
  readonly #reads: 'requests' | 'responses'
  #messages: MessageRead[] = []
  #asked: readonly Asked[] = []
  #answered = 0
  #message: MessageRead | undefined
  #begun = false
  #upgrade = false
  #flushed: string[] = []
  #flushedTarget = ''

  constructor(reads: 'requests' | 'responses') {
    this.#reads = reads
    this.#parser = new NodeParser(reads, this)
  }

  /** `asked`: one for each final response that may come. */
  read(bytes: Buffer, asked: readonly Asked[] = []): Reading {
    this.#messages = []
    this.#asked = asked
    this.#answered = 0
    const refusal = this.#readAll(bytes)
    return { messages: this.#messages, refusal, unfinished: refusal === undefined && this.#begun }
  }

  #readAll(bytes: Buffer): string | undefined {
    for (let at = 0; at < bytes.length; ) {
      this.#restart()
      const taken = this.#parser.execute(bytes.subarray(at))
      if (typeof taken === 'string') return taken
      at += taken
      // Node stops where another protocol may begin. Whether one does is its server's choice, so what follows is read on afresh.
      if (this.#upgrade) this.#messages.at(-1)!.switchedAt = at
    }
    this.#parser.finish()
    return undefined
  }

  #restart(): void {
    this.#begun = false
    this.#upgrade = false
    this.#flushed = []
    this.#flushedTarget = ''
    this.#parser.restart()
  }

  begin(): void {
    this.#begun = true
    this.#message = undefined
    this.#flushed = []
    this.#flushedTarget = ''
  }

  fields(fields: readonly string[], target: string): void {
    this.#flushed.push(...fields)
    this.#flushedTarget = target
  }

  head(head: NodeHead): 0 | 1 | 2 {
    this.#upgrade = head.upgrade
    const fields = head.fields ?? this.#flushed
    this.#flushed = []
    this.#message = {
      start:
        this.#reads === 'requests'
          ? [head.method, head.target || this.#flushedTarget]
          : [String(head.status), head.reason],
      minorVersion: head.minorVersion,
      fields,
      body: '',
      trailers: [],
      complete: false,
      switchedAt: undefined,
    }
    this.#messages.push(this.#message)
    return this.#reads === 'requests' ? 0 : this.#bodyOf(head)
  }

  // As Node's own client answers: no body after 1xx and to HEAD, another protocol after a 101 that was asked for.
  #bodyOf(head: NodeHead): 0 | 1 | 2 {
    if (head.status === 101) return 2
    if (head.status < 200) return 1
    return this.#asked[this.#answered++]?.method === 'HEAD' ? 1 : 0
  }

  body(piece: Buffer): void {
    this.#message!.body += piece.toString('latin1')
  }

  complete(): void {
    this.#begun = false
    this.#message!.trailers = this.#flushed
    this.#message!.complete = true
  }
}

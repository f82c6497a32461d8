import type { RefusalCode } from '../traffic/exchange-record.ts'
import { Placement, type PlacementHost, type PlacementSources } from '../traffic/placement.ts'
import { refusals } from '../traffic/refusals.ts'
import type { Backend } from '../upstream/backend.ts'
import type { AskedRequest } from './explain-question.ts'
import type { ExplainedRefusal } from './explanation.ts'

/** The data plane's own placement of a request that nobody sends. */
export class DryPlacement implements PlacementHost, Disposable {
  readonly place: Placement
  #answer: PromiseWithResolvers<Backend | ExplainedRefusal> = Promise.withResolvers()

  constructor(sources: PlacementSources, { request, client, port }: AskedRequest) {
    this.place = new Placement(this, sources, request, client, port)
  }

  /** Where it goes; rejects with what would be a bug of ours. */
  async first(): Promise<Backend | ExplainedRefusal> {
    this.place.begin()
    return await this.#answer.promise
  }

  /** Where it goes when that backend fails. */
  async next(): Promise<Backend | ExplainedRefusal> {
    this.#answer = Promise.withResolvers()
    this.place.next()
    return await this.#answer.promise
  }

  placed(backend: Backend): void {
    this.#answer.resolve(backend)
  }

  unplaced(code: RefusalCode, text: string = refusals[code].text, status: number = refusals[code].status): void {
    this.#answer.resolve({ refusal: code, status, text })
  }

  broken(error: unknown): void {
    this.#answer.reject(error)
  }

  [Symbol.dispose](): void {
    this.place.end()
  }
}

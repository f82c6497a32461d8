import type { MaybePromise } from '@sticky/store'

import type { Choice, Decision, FieldEdit } from './script-decision.ts'
import type { Named, Persistence, RequestContext, RequestFacts } from './script-hooks.ts'

const noEdits: readonly FieldEdit[] = []

/** A request hook's context, and what the hook decided by it. */
export class RequestView implements RequestContext {
  readonly persist: Persistence
  readonly #facts: RequestFacts
  #header: EditableFields | undefined
  #choice: MaybePromise<Choice | undefined>

  constructor(facts: RequestFacts, persist: Persistence) {
    this.#facts = facts
    this.persist = persist
  }

  get cookie(): Named {
    return this.#facts.cookie
  }
  get header(): EditableFields {
    this.#header ??= new EditableFields(this.#facts.header)
    return this.#header
  }
  get clientAddress(): string {
    return this.#facts.clientAddress
  }
  get method(): string {
    return this.#facts.method
  }
  get target(): string {
    return this.#facts.target
  }
  get path(): string {
    return this.#facts.path
  }
  get host(): string {
    return this.#facts.host
  }

  // Hooks take their context apart, so that what they call is without it.

  get use(): RequestContext['use'] {
    return (backend) => this.#use(backend)
  }

  get pool(): RequestContext['pool'] {
    return (id) => this.#offer({ pool: textOf(id, 'pool: the id') })
  }

  get refuse(): RequestContext['refuse'] {
    return (status, text = 'refused') =>
      this.#offer({ refuse: { status: Number(status), text: textOf(text, 'refuse: the text') } })
  }

  /** What the hook decided, once it has returned; at once unless it depends on a look-up under way. */
  get decision(): MaybePromise<Decision> {
    const edits = this.#header?.edits ?? noEdits
    const choice = this.#choice
    return choice instanceof Promise ? choice.then((made) => ({ choice: made, edits })) : { choice, edits }
  }

  #use(backend: MaybePromise<string | undefined>): void {
    if (!isPromise(backend)) return this.#offer(usedOrNone(backend))
    const choice = Promise.resolve(backend).then(usedOrNone)
    // Its failure is the hook's, told where the decision is asked for; the hook may have failed before that.
    choice.catch(() => {})
    this.#offer(choice)
  }

  #offer(choice: MaybePromise<Choice | undefined>): void {
    const before = this.#choice
    if (before === undefined) this.#choice = choice
    if (!(before instanceof Promise)) return
    const both = before.then((first) => first ?? choice)
    both.catch(() => {})
    this.#choice = both
  }
}

function usedOrNone(backend: string | undefined): Choice | undefined {
  return backend === undefined ? undefined : { use: textOf(backend, 'use: the id') }
}

/** Scripts need not be type-checked, and a decision has to cross threads. */
function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
  return value
}

/** Scripts may bring promises of their own kind. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

class EditableFields implements Named {
  readonly edits: FieldEdit[] = []
  readonly #fields: Named

  constructor(fields: Named) {
    this.#fields = fields
  }

  exists(name: string): boolean {
    return this.#fields.exists(name)
  }

  get(name: string): string | undefined {
    return this.#fields.get(name)
  }

  set(name: string, value: string): void {
    this.edits.push({ name: String(name), value: String(value) })
  }

  remove(name: string): void {
    this.edits.push({ name: String(name), value: undefined })
  }
}

/** Makes ids of names: what an id may not have becomes a dash, and no two names get one id. */
export class Ids {
  readonly #taken = new Set<string>()

  of(name: string): string {
    const id = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-+|-+$/g, '') || 'unnamed'
    for (let count = 1; ; count++) {
      const suffix = count === 1 ? '' : `-${count}`
      const candidate = id.slice(0, 64 - suffix.length) + suffix
      if (!this.#taken.has(candidate)) {
        this.#taken.add(candidate)
        return candidate
      }
    }
  }
}

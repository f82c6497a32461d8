/** Makes ids of names: what an id may not have becomes a dash, and no two names get one id. */
export class Ids {
  // The one id that keys of a pool's or a file's objects must not have.
  readonly #taken = new Set(['__proto__'])

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

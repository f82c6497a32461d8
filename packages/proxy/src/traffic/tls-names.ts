import { X509Certificate } from 'node:crypto'

/** Something for each name that certificates have; of several with a name the first counts. */
export class ServerNames<Meant> {
  readonly #exact = new Map<string, Meant>()
  /** By what follows the `*`. */
  readonly #wildcards = new Map<string, Meant>()

  /** Adds the names of a certificate in PEM form. */
  add(certificate: string, meant: Meant): void {
    for (const name of namesOf(new X509Certificate(certificate))) {
      const [names, key] = name.startsWith('*.') ? [this.#wildcards, name.slice(1)] : [this.#exact, name]
      if (!names.has(key)) names.set(key, meant)
    }
  }

  /** What is meant by a name as a client sent it, be it any bytes; RFC 9525 6.3: a `*` stands for one label. */
  find(name: string): Meant | undefined {
    const asked = name.toLowerCase()
    const dot = asked.indexOf('.')
    return this.#exact.get(asked) ?? (dot > 0 ? this.#wildcards.get(asked.slice(dot)) : undefined)
  }
}

/** The DNS names among a certificate's alternative names, in lower case. */
function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return Array.from(subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g), ([, name]) => name!.toLowerCase())
}

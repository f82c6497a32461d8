import { resolve } from 'node:path'

import type { BackendTlsConfig, Config, PemFiles } from './config.ts'
import type { Draft, DraftBackendTls } from './draft.ts'
import type { Mistake, Path } from './mistakes.ts'
import { PemFlaw, readPem } from './pem.ts'

/** What is wrong with the certificates and keys that a file names; relative paths start at `folder`. */
export function unusablePemFiles(draft: Draft, folder: string): Mistake[] {
  return [...ofListeners(draft), ...ofBackends(draft)].flatMap(({ path, files }): Mistake[] => {
    const flaw = readPem(placed(files, folder))
    return flaw instanceof PemFlaw ? [{ path: [...path, flaw.part], problem: flaw.problem }] : []
  })
}

interface Named {
  readonly path: Path
  readonly files: PemFiles
}

function ofListeners({ listen = [] }: Draft): Named[] {
  return listen.flatMap((listener, index) =>
    (listener?.tls ?? []).map((pair, at) => ({ path: ['listen', index, 'tls', at], files: filesOf(pair) })),
  )
}

function ofBackends({ pools = {} }: Draft): Named[] {
  return Object.entries(pools).flatMap(([id, pool]) => [
    { path: ['pools', id, 'tls'], files: filesOf(pool?.tls) },
    ...(pool?.backends ?? []).map((backend, index) => ({
      path: ['pools', id, 'backends', index, 'tls'],
      files: filesOf(backend?.tls),
    })),
  ])
}

function filesOf(tls: DraftBackendTls | undefined): PemFiles {
  return { ca: tls?.ca, cert: tls?.cert, key: tls?.key }
}

/** The configuration with the places of its PEM files. */
export function withPemFiles(config: Config, folder: string): Config {
  const ofBackend = (tls: BackendTlsConfig): BackendTlsConfig => ({ ...tls, ...placed(tls, folder) })
  return {
    ...config,
    listen: config.listen.map((listener) => ({
      ...listener,
      tls: listener.tls.map(({ cert, key }) => ({ cert: resolve(folder, cert), key: resolve(folder, key) })),
    })),
    pools: config.pools.map((pool) => ({
      ...pool,
      tls: ofBackend(pool.tls),
      backends: pool.backends.map((backend) => ({ ...backend, tls: ofBackend(backend.tls) })),
    })),
  }
}

/** Each set of files that a configuration names and that has any; of backends those over TLS. */
export function pemFilesOf({ listen, pools }: Pick<Config, 'listen' | 'pools'>): PemFiles[] {
  const pairs = listen.flatMap(({ tls }) => tls.map((pair) => ({ ca: undefined, ...pair })))
  const ofPools = pools.flatMap(({ backends }) => backends.map(({ tls }) => tls))
  return [...pairs, ...ofPools].filter(({ ca, cert, key }) => (ca ?? cert ?? key) !== undefined)
}

function placed({ ca, cert, key }: PemFiles, folder: string): PemFiles {
  const place = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : resolve(folder, file)
  return { ca: place(ca), cert: place(cert), key: place(key) }
}

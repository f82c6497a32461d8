import { ScriptUnusable } from '../affinity/script-service.ts'

/** Why a node could not start, in one sentence for whoever started it. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
}

/** A failure to listen, or to load a script, as a sentence with a remedy; any other error stays as it is. */
export function startFailure(error: unknown): unknown {
  if (error instanceof ScriptUnusable) return new StartFailure(error.message, { cause: error })
  const { code, syscall, address, port } = Object(error) as NodeJS.ErrnoException & { address?: string; port?: number }
  if (syscall !== 'listen' && syscall !== 'bind') return error
  const isSocket = port === undefined || port < 0
  const place = isSocket ? address : `${address}:${port}`
  const why = (isSocket ? reasonsOfSockets : reasonsOfPorts)[code ?? ''] ?? code
  return new StartFailure(`cannot listen on ${place}: ${why}`, { cause: error })
}

const reasonsOfPorts: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EACCES: 'the system does not permit it; ports below 1024 need CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have that address',
}

const reasonsOfSockets: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already, or it is a file of another kind',
  // libuv says so of a folder that is missing, too.
  EACCES: 'its folder does not exist, or may not be written to',
}

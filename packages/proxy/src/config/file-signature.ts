import { stat } from 'node:fs/promises'

/** Another text whenever a file is another one, be it behind a link; undefined while there is none. */
export async function fileSignature(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
}

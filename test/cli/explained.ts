import { expect } from 'vitest'

import { stickyCli } from './sticky-cli.ts'

/** What `sticky-cli explain` prints of that node, without what differs from run to run. */
export async function explained(admin: string, ...words: string[]): Promise<string> {
  const run = await stickyCli(['--admin', admin, 'explain', ...words])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return run.stdout
    .replace(/(?<=session )[\w-]{22}/g, '<id>')
    .replace(/began \S+ ago, ends in \S+/, 'began <time> ago, ends in <time>')
}

import { toJSONSchema } from 'zod'

import { fileSchema } from './file-schema.ts'

/** A JSON Schema of the configuration file, for editors that check while one types. */
export function jsonSchema(): Record<string, unknown> {
  const schema = toJSONSchema(fileSchema, { io: 'input', target: 'draft-07' })
  return { ...schema, title: 'Sticky configuration' }
}

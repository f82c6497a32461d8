import { AdminProblem } from './admin-api.ts'
import type { ExplainQuestion, HeaderField } from './explanation.ts'

/** Reads the body of a request to explain; an AdminProblem that names what is wrong. */
export function explainQuestion(body: unknown): ExplainQuestion {
  const { url, method, cookie, client, headers, responseHeaders, ...unknown } = Object(body) as Partial<AnyQuestion>
  for (const name of Object.keys(unknown)) throw new AdminProblem('invalid-request', `unknown field ${name}`)
  if (typeof url !== 'string') throw new AdminProblem('invalid-request', 'url must be http://host/path or a path')
  return {
    url,
    method: textOf('method', method),
    cookie: textOf('cookie', cookie),
    client: textOf('client', client),
    headers: fieldsOf('headers', headers),
    responseHeaders: fieldsOf('responseHeaders', responseHeaders),
  }
}

type AnyQuestion = { readonly [Key in keyof ExplainQuestion]: unknown }

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw new AdminProblem('invalid-request', `${name} must be a text`)
}

function fieldsOf(name: string, value: unknown): readonly HeaderField[] | undefined {
  if (value === undefined || (Array.isArray(value) && value.every(isField))) return value
  throw new AdminProblem('invalid-request', `${name} must be a list of [name, value]`)
}

function isField(value: unknown): value is HeaderField {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
}

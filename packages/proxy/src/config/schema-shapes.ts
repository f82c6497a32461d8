import * as z from 'zod'

import { Flaw } from './flaw.ts'

/** A map of exactly these keys. */
export function map<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const keys = Object.keys(shape)
  // For an unknown key the message lists the known ones: `schema-mistakes.ts` finds the one that was meant.
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? keys.join(' ') : `must be a map of ${keys.join(', ')}`),
  })
}

/** A list of these; `what` is its expectation, such as `must be a list of backends`. */
export function list<Item extends z.ZodType>(item: Item, what: string, least = 0): z.ZodArray<Item> {
  const items = z.array(item, { error: what })
  return least === 0 ? items : items.min(least, { error: `${what}, at least ${least}` })
}

/** Text that `parse` understands. */
export function text<T>(
  expectation: string,
  parse: (text: string) => T | Flaw,
  pattern?: RegExp,
): z.ZodType<T, string> {
  const annotation = pattern ? { pattern: pattern.source } : {}
  return z
    .string({ error: expectation })
    .meta(annotation)
    .transform((written, context) => {
      const parsed = parse(written)
      if (!(parsed instanceof Flaw)) return parsed
      const { problem, instead } = parsed
      context.issues.push({ code: 'custom', message: problem, params: { instead }, input: written })
      return z.NEVER
    })
}

/** True or false. */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: 'must be true or false' })
}

/** A whole number of this range. */
export function whole(least: number, most: number): z.ZodInt {
  const error = `must be a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

/** One of these words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodEnum<{ [Word in Words[number]]: Word }> {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` })
}

/** May be left out; there is no default. The type has the key all the same, as `Config` does. */
export function optional<Schema extends z.ZodType>(schema: Schema): Optional<Schema> {
  return schema.optional().transform((value) => value)
}

type Optional<Schema extends z.ZodType> = z.ZodPipe<
  z.ZodOptional<Schema>,
  z.ZodTransform<z.output<Schema> | undefined, z.output<Schema> | undefined>
>

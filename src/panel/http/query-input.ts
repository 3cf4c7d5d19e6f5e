/** Turns the words of a query into what the operation's schema takes. Anything else stays a word, for the schema to refuse. */
import { z } from 'zod'

type Convert = (word: string) => unknown

interface Converter {
  readonly convert: Convert
  readonly isList: boolean
}

const asWord: Converter = { convert: (word) => word, isList: false }

/** Each field's kind is found out when it is first asked for: for all of them at start it would be a tenth of the start. */
export function queryReader(input: () => z.ZodObject): (query: URLSearchParams) => Record<string, unknown> {
  const known = new Map<string, Converter>()
  const converter = (key: string) => {
    const shape: Readonly<Record<string, z.ZodType>> = input().shape
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (field === undefined) return asWord
    const found = known.get(key) ?? converterOf(field)
    known.set(key, found)
    return found
  }
  return (query) => {
    const values: Record<string, unknown> = Object.create(null)
    for (const key of new Set(query.keys())) {
      const { convert, isList } = converter(key)
      const words = query.getAll(key).map(convert)
      values[key] = isList || words.length > 1 ? words : words[0]
    }
    return values
  }
}

function converterOf(field: z.ZodType): Converter {
  const types = typesOf(z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }))
  const isList = types.has('array')
  if (types.has('string')) return { convert: asIs, isList }
  if (types.has('integer') || types.has('number')) return { convert: asNumber, isList }
  if (types.has('boolean')) return { convert: asBoolean, isList }
  return { convert: asIs, isList }
}

/** The JSON types that a schema takes, those of an array's items included. */
function typesOf(schema: z.core.JSONSchema._JSONSchema): Set<string> {
  if (typeof schema === 'boolean') return new Set()
  const own = typeof schema.type === 'string' ? [schema.type] : typeof schema.const === 'string' ? ['string'] : []
  const items = schema.items === undefined || Array.isArray(schema.items) ? [] : [schema.items]
  const nested = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...items]
  return new Set([...own, ...nested.flatMap((part) => [...typesOf(part)])])
}

const asIs: Convert = (word) => word
const asNumber: Convert = (word) => (/^-?(0|[1-9]\d{0,15})(\.\d{1,10})?$/.test(word) ? Number(word) : word)
const asBoolean: Convert = (word) => (word === 'true' ? true : word === 'false' ? false : word)

/** An operation's input read as a list of plain fields, for forms and for command lines alike. */
import { z } from 'zod'

export interface Field {
  /** Where it stands in the input: `['limits', 'memMb']`. */
  readonly path: readonly string[]
  /** The path as errors and forms spell it: `limits.memMb`. */
  readonly name: string
  readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'choice' | 'list' | 'json'
  /** Accepted words of a `choice`, or of each entry of a `list`. */
  readonly choices: readonly string[]
  readonly required: boolean
  /** A `boolean` that may only be true, or be left out. */
  readonly onlyTrue: boolean
  /** null has a meaning of its own, such as "no limit". */
  readonly nullable: boolean
  readonly default: unknown
  readonly min: number | undefined
  readonly max: number | undefined
  readonly maxLength: number | undefined
  readonly format: string | undefined
  readonly description: string | undefined
  /** Takes an id or a name of something that exists. */
  readonly isReference: boolean
}

type Json = z.core.JSONSchema.JSONSchema

const known = new WeakMap<z.ZodType, readonly Field[]>()

/** In the order of the schema; nested objects are flattened. */
export function fieldsOf(input: z.ZodObject): readonly Field[] {
  const cached = known.get(input)
  if (cached !== undefined) return cached
  const root: Json = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  const fields = objectFields(root, root, [], true)
  known.set(input, fields)
  return fields
}

export function fieldNamed(input: z.ZodObject, name: string): Field | undefined {
  return fieldsOf(input).find((field) => field.name === name)
}

function objectFields(root: Json, object: Json, path: readonly string[], isNeeded: boolean): Field[] {
  return Object.entries(object.properties ?? {}).flatMap(([key, property]) => {
    const isRequired = isNeeded && (object.required?.includes(key) ?? false)
    return fieldsAt(root, resolve(root, property), [...path, key], isRequired)
  })
}

function fieldsAt(root: Json, schema: Json, path: readonly string[], isRequired: boolean): Field[] {
  const { inner, isNullable } = withoutNull(root, schema)
  if (inner.properties !== undefined) return objectFields(root, inner, path, isRequired)
  const items = inner.type === 'array' && !Array.isArray(inner.items) ? resolve(root, inner.items ?? {}) : undefined
  return [
    {
      path,
      name: path.join('.'),
      type: typeOf(root, inner),
      choices: typeOf(root, inner) === 'boolean' ? [] : choicesOf(root, items ?? inner),
      required: isRequired && schema.default === undefined,
      onlyTrue: inner.const === true,
      nullable: isNullable,
      default: schema.default ?? inner.default,
      min: withinSafe(inner.minimum),
      max: withinSafe(inner.maximum),
      maxLength: inner.maxLength,
      format: inner.format,
      description: schema.description ?? inner.description,
      isReference: alternatives(root, items ?? inner).some((option) => option.format === 'uuid'),
    },
  ]
}

function typeOf(root: Json, schema: Json): Field['type'] {
  const options = alternatives(root, schema)
  const types = new Set(options.map((option) => option.type))
  // A boolean beside its own words, as query strings spell it, is a boolean.
  const isBoolean = options.every((option) => option.type === 'boolean' || option.enum?.includes('true'))
  if (isBoolean && types.has('boolean')) return 'boolean'
  if (choicesOf(root, schema).length > 0) return 'choice'
  // A value that may be a text or a number is written as text; its reader parses it.
  if (types.has('string') && !types.has('object') && !types.has('array')) return 'text'
  if (types.size !== 1) return 'json'
  if (types.has('integer')) return 'integer'
  if (types.has('number')) return 'number'
  return types.has('array') ? 'list' : 'json'
}

function choicesOf(root: Json, schema: Json): readonly string[] {
  const words = alternatives(root, schema).map(
    (option) => option.enum ?? (option.const === undefined ? [] : [option.const]),
  )
  return words.every((list) => list.length > 0) ? words.flat().map(String) : []
}

function withoutNull(root: Json, schema: Json): { inner: Json; isNullable: boolean } {
  const options = alternatives(root, schema)
  const rest = options.filter((option) => option.type !== 'null')
  const isNullable = rest.length < options.length
  const [only] = rest
  if (only !== undefined && rest.length === 1) return { inner: only, isNullable }
  return { inner: isNullable ? { ...schema, anyOf: rest } : schema, isNullable }
}

function alternatives(root: Json, schema: Json): readonly Json[] {
  const options = schema.anyOf ?? schema.oneOf
  return options === undefined ? [schema] : options.flatMap((option) => alternatives(root, resolve(root, option)))
}

function resolve(root: Json, schema: Json | boolean): Json {
  if (typeof schema === 'boolean') return {}
  if (schema.$ref === undefined) return schema
  const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')]
  return target === undefined ? {} : resolve(root, target)
}

/** zod writes the range of safe integers into every integer: no bound that anybody set. */
function withinSafe(bound: number | undefined): number | undefined {
  return bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound
}

/** Puts a value at a path into an input that is being built. */
export function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path
  if (key === undefined) return
  if (rest.length === 0) {
    target[key] = value
    return
  }
  const below = isRecord(target[key]) ? target[key] : {}
  target[key] = below
  setAt(below, rest, value)
}

export function getAt(source: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), source)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

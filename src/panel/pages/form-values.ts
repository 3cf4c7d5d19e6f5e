/** Form fields to an operation's input and back. What people typed is kept as text until the input's own schema judges it. */

import { type Field, getAt, isRecord, setAt } from '../../contract/fields.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import { verbOf } from '../../contract/operation.ts'
import { nothing, wordOf } from '../../lib/command-spec.ts'
import { manyLines } from '../../lib/field-formats.ts'

/** Text of each control by field name. */
export type FormValues = Readonly<Record<string, string>>

/** The form's own fields as text; names that start with `_` belong to the page, not to the operation. */
export function formValues(body: unknown): FormValues {
  if (!isRecord(body)) return {}
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => {
      if (name.startsWith('_')) return []
      const text = Array.isArray(value) ? value.map(String).join('\n') : String(value ?? '')
      return [[name, text]]
    }),
  )
}

/**
 * Unknown names are passed on, for the schema to refuse.
 * @param present what the form of a change began with: fields that still say the same are left out
 */
export function inputOf(
  operation: AnyOperation,
  values: FormValues,
  present: FormValues | null = null,
): Record<string, unknown> {
  const fields = operation.fields
  const input: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(values)) {
    if (!fields.some((field) => field.name === name)) input[name] = text
  }
  for (const field of fields) {
    if (present !== null && !field.required && !isChanged(field.name, values, present)) continue
    const value = fieldValue(field, values[field.name], verbOf(operation) === 'update')
    if (value !== undefined) setAt(input, field.path, value)
  }
  return input
}

/** Whether a form says something else than what is stored. */
export function isChanged(name: string, values: FormValues, present: FormValues): boolean {
  const text = (of: FormValues) => (of[name] ?? '').replaceAll('\r\n', '\n').trim()
  return text(values) !== text(present)
}

/** @param isUpdate the form showed the present value, so that an emptied control means to empty the field. */
function fieldValue(field: Field, text: string | undefined, isUpdate: boolean): unknown {
  if (field.type === 'boolean') {
    if (text === 'true') return true
    if (field.onlyTrue) return undefined
    return text !== undefined || field.required || isUpdate || field.default === true ? false : undefined
  }
  if (text === undefined) return undefined
  if (field.format === manyLines) return text.replaceAll('\r\n', '\n') // as browsers send each line end
  const word = text.trim()
  if (field.type === 'list') {
    const lines = word.split(/\s*\n\s*/).filter((line) => line !== '')
    return lines.length > 0 || field.required || isUpdate || isTickedAtFirst(field) ? lines : undefined
  }
  if (word === '') {
    const isMeant = field.required || isUpdate || field.default !== undefined
    if (field.nullable && isMeant && field.type !== 'choice') return null
    return field.required && field.type === 'text' ? '' : undefined
  }
  if (field.type === 'choice') return field.nullable && word === nothing ? null : word
  if (field.type === 'integer' || field.type === 'number') return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : word
  if (field.type === 'json') return jsonOr(word)
  // Passwords and the like may well begin or end with a space.
  return field.format === undefined && /password|secret/i.test(field.name) ? text : word
}

/** Boxes of which some are ticked at first: none ticked is an answer of its own. */
function isTickedAtFirst(field: Field): boolean {
  return field.choices.length > 0 && Array.isArray(field.default) && field.default.length > 0
}

function jsonOr(word: string): unknown {
  try {
    return JSON.parse(word)
  } catch {
    return word // the schema names the field and what it accepts
  }
}

/** The text that a control shows for a value: `formValues` of an existing object. */
export function textOf(field: Field, value: unknown): string {
  if (value === undefined) return ''
  if (value === null) return field.type === 'choice' ? nothing : ''
  if (field.type === 'boolean') return value === true ? 'true' : ''
  if (Array.isArray(value)) return value.map(String).join('\n')
  return wordOf(value)
}

/** The initial values of a form for changing `present`; a reference is shown by its name rather than its id. */
export function valuesFrom(operation: AnyOperation, present: unknown): FormValues {
  const values: Record<string, string> = {}
  for (const field of operation.fields) {
    const [key = ''] = field.path
    const found = [field.path, [`${key}Name`], [`${key}Email`]].map((path) => getAt(present, path))
    const value = found.find((one) => one !== undefined)
    if (value !== undefined) values[field.name] = textOf(field, value)
  }
  return values
}

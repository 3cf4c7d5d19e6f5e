/** Form bodies as plain words: a field is a string, a repeated one a list; nothing reaches for the prototype. */
import { WcpError } from '../../contract/errors.ts'

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])
const mostFields = 300

export type FormBody = Record<string, string | string[]>

export function parseForm(text: string): FormBody {
  const fields = new URLSearchParams(text)
  if (fields.size > mostFields) throw new WcpError('malformed', `Cannot read the form: more than ${mostFields} fields`)
  const body: FormBody = Object.create(null)
  for (const key of new Set(fields.keys())) {
    if (forbiddenKeys.has(key))
      throw new WcpError('malformed', `Cannot read the form: the field "${key}" is not allowed`)
    const values = fields.getAll(key)
    body[key] = values.length === 1 ? (values[0] ?? '') : values
  }
  return body
}

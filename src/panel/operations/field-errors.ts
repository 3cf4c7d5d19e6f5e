/** The errors of a schema, field by field, in the words that people read. */
import type { z } from 'zod'
import { type FieldError, WcpError } from '../../contract/errors.ts'

const mostShown = 50

/** @param input what was parsed, to tell a missing field from a wrong one */
export function badInput(error: z.ZodError, input: unknown, fields: readonly string[]): WcpError {
  const errors = error.issues.flatMap((issue) => fieldErrors(issue, input, fields)).slice(0, mostShown)
  const [first] = errors
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : ''
  const what = first === undefined ? 'it is wrong' : `${first.field} ${first.problem}`
  return new WcpError('bad_input', `Cannot accept the input: ${what}${more}`, { fields: errors })
}

function fieldErrors(issue: z.core.$ZodIssue, input: unknown, fields: readonly string[]): FieldError[] {
  const field = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: [field, key.slice(0, 80)].filter(Boolean).join('.'),
      problem: 'is not known here',
      ...(field === '' && { accepted: fields.length > 0 ? `only ${fields.join(', ')}` : 'no field at all' }),
    }))
  const accepted = acceptedBy(issue)
  return [{ field: field === '' ? 'body' : field, problem: problemOf(issue, input), ...(accepted && { accepted }) }]
}

function problemOf(issue: z.core.$ZodIssue, input: unknown): string {
  if (valueAt(input, issue.path) === undefined) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return 'has the wrong type'
    case 'too_big':
      return 'is too large'
    case 'too_small':
      return 'is too small'
    case 'invalid_format':
      return 'is not well-formed'
    case 'custom':
      return typeof issue.params?.problem === 'string' ? issue.params.problem : 'is not accepted'
    default:
      return 'is not accepted'
  }
}

/** The schemas' own messages say what is accepted; the library's say what was wrong. */
function acceptedBy(issue: z.core.$ZodIssue): string | undefined {
  if (!/^(Invalid|Too (big|small)|Unrecognized)/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return `a value of type ${issue.expected}`
    case 'too_big':
      return `at most ${issue.maximum}`
    case 'too_small':
      return `at least ${issue.minimum}`
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`
    default:
      return undefined
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return value
}

/** Controls of forms that stand alone, outside of any operation: signing in and its like. */
import type { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { toWcpError } from '../http/problem.ts'
import type { Control } from './form-fields.ts'

/** @param error of the last try: what it says of this field is shown with it */
export function loneControl(
  given: Pick<Control, 'name' | 'label' | 'inputType'> & Partial<Control>,
  error?: WcpError,
): Control {
  const problem = error?.fields.find(({ field }) => field === given.name)?.problem
  return {
    id: `f-${given.name}`,
    control: 'input',
    choices: [],
    value: '',
    required: true,
    saysOptional: false,
    short: false,
    secret: given.inputType === 'password',
    ...given,
    ...(problem !== undefined && { error: problem }),
  }
}

/** One text of a form; empty when it is absent or sent twice. */
export function formText(body: unknown, name: string): string {
  const value = isRecord(body) ? body[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** Errors that a person can act on; all others are logged and become an error page. */
export function onTheForm(error: unknown): WcpError {
  const shown = toWcpError(error instanceof Error ? error : new Error(String(error)))
  if (shown.code === 'internal') throw error
  return shown
}

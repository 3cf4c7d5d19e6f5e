/** The refusals that several kinds have in common, each in one wording. */
import { type FieldError, WcpError } from '../contract/errors.ts'

export function notFound(kind: string, ref: string): never {
  throw new WcpError('not_found', `Cannot find ${kind} "${ref}"`)
}

/** A value that is well formed and still not acceptable. */
export function badInput(what: string, ...fields: FieldError[]): never {
  throw new WcpError('bad_input', `Cannot ${what}: ${fields.map((one) => `${one.field} ${one.problem}`).join(', ')}`, {
    fields,
  })
}

/** A value that somebody else has. */
export function taken(what: string, field: string, value: string, remedy: string): never {
  throw new WcpError('conflict', `Cannot ${what}: "${value}" is taken`, {
    fields: [{ field, problem: 'is taken', accepted: remedy }],
    help: `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`,
  })
}

/** The state of a thing forbids it. */
export function conflict(what: string, because: string, help: string): never {
  throw new WcpError('conflict', `Cannot ${what}: ${because}`, { help })
}

/** A refused request as the top of a page says it, each field linked to its control. */
import type { WcpError } from '../../contract/errors.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { path } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { spoken } from './field-words.ts'
import type { Control } from './form-fields.ts'

export interface ProblemView {
  readonly message: string
  readonly help: string
  readonly fields: readonly {
    readonly label: string
    readonly href: string | null
    readonly problem: string
  }[]
  /** The job that stands in the way. */
  readonly job: string | null
}

export function problemView(t: Texts, error: WcpError, controls: readonly Control[] = []): ProblemView {
  const fields = error.fields.map(({ field, problem, accepted }) => {
    const control = controls.find(({ name }) => name === field || field.startsWith(`${name}.`))
    return {
      label: control?.label ?? label(t, field.split('.').at(-1) ?? field),
      href: control === undefined ? null : `#${control.id}`,
      problem: spoken(t, { problem, ...(accepted !== undefined && { accepted }) }),
    }
  })
  const job = error.details.job
  return {
    message: plainWords(error.message),
    help: fields.length > 0 ? '' : plainWords(error.help),
    fields,
    job: job === undefined ? null : path`/jobs/${job}`,
  }
}

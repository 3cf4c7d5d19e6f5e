/** `wcp approve`: root lets more jobs of a kind through than the hour's budget. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { BrakeKind, brakeKinds } from '../../contract/job.ts'
import type { Output } from '../../lib/print.ts'
import type { CallRescue } from '../emergency/call-rescue.ts'
import { printAnswer } from '../emergency/print-answer.ts'
import type { LocalCommand } from '../program.ts'

const kinds = brakeKinds.join(', ')

export function approve(call: CallRescue, output: Output): LocalCommand {
  return {
    words: 'approve',
    summary: "Let more jobs through than an hour's budget takes; root's word, not the panel's",
    args: [['<kind>', kinds]],
    options: [
      ['--count <n>', 'how many more; 100 without it'],
      ['--minutes <n>', 'for how long; 60 without it'],
      ['--json', 'print the answer as JSON'],
    ],
    async run([kind], options) {
      const request = {
        do: 'approve' as const,
        kind: parsed(BrakeKind, kind, 'kind', kinds),
        count: parsed(Number100k, options.count ?? '100', 'count', 'a whole number from 1 to 100000'),
        minutes: parsed(Minutes, options.minutes ?? '60', 'minutes', 'a whole number from 1 to 1440'),
      }
      return printAnswer(output, await call(request), options.json === true)
    },
  }
}

const whole = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform(Number)
const Number100k = whole.pipe(z.int().min(1).max(100_000))
const Minutes = whole.pipe(z.int().min(1).max(1440))

function parsed<S extends z.ZodType>(schema: S, value: unknown, field: string, accepted: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new WcpError('bad_input', `Cannot approve: ${field} is "${String(value)}"`, {
    fields: [{ field, problem: 'is not one that can be approved', accepted }],
  })
}

/** The words of a run: the command of a cron job behind its environment, by a second env(1) in the tenant's sandbox. */
import { z } from 'zod'
import { TenantCommand } from '../../contract/tenant-command.ts'

/** Set by every run, or read by the loader before the program begins. */
const notOurs = /^(?:PATH|HOME|USER|LOGNAME|LD_[A-Z_]*)$/

/** One variable. Its value is kept as it is. */
export const Variable = z
  .string()
  .max(1000, { error: 'at most 1000 characters' })
  .regex(/^[A-Za-z_][A-Za-z0-9_]*=[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u, {
    error: 'variables such as APP_ENV=production, without control characters',
  })
  .refine((text) => !notOurs.test(nameOf(text)), { error: 'names other than PATH, HOME, USER, LOGNAME and LD_…' })

export const Environment = z
  .array(Variable, { error: 'a list of variables such as APP_ENV=production' })
  .max(30, { error: 'at most 30 variables' })
  .refine((all) => new Set(all.map(nameOf)).size === all.length, { error: 'each name once' })

/** Fails where command and environment are too long together. */
export function wordsOfRun(command: readonly string[], environment: readonly string[]) {
  return TenantCommand.safeParse(
    environment.length === 0 ? command : ['/usr/bin/env', '--', ...environment, ...command],
  )
}

function nameOf(text: string): string {
  return text.slice(0, text.indexOf('='))
}

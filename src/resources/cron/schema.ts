/** A cron job: a command of a tenant, and when it is run. */
import { z } from 'zod'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { Fqdn, Id, Line } from '../../contract/values.ts'
import { Time, timestamps } from '../answers.ts'
import { longestRunSeconds } from '../domain/jobs.ts'
import { CalendarProblem } from './calendar-field.ts'
import { parseCalendar } from './parse-calendar.ts'

const longestJitter = 3600
const longestSchedule = 200

export const CronRef = Id.describe('Id of the cron job')

export const CronName = Line.min(1, { error: '1 to 64 characters' }).max(64, { error: '1 to 64 characters' })

export const Schedule = Line.max(longestSchedule, { error: `at most ${longestSchedule} characters` }).superRefine(
  (text, context) => {
    const found = problemOf(text)
    if (found !== undefined)
      context.addIssue({ code: 'custom', message: found.accepted, params: { problem: found.problem } })
  },
)

export const TimeZone = z
  .string()
  .max(64, { error: 'at most 64 characters' })
  .refine(isTimeZone, { error: 'a time zone such as Europe/Berlin or UTC' })

export const Seconds = z
  .int({ error: `1 to ${longestRunSeconds}` })
  .min(1, { error: `1 to ${longestRunSeconds}` })
  .max(longestRunSeconds, { error: `1 to ${longestRunSeconds}` })

export const Jitter = z
  .int({ error: `0 to ${longestJitter}` })
  .min(0, { error: `0 to ${longestJitter}` })
  .max(longestJitter, { error: `0 to ${longestJitter}` })

/** What becomes of a time at which the panel was not there: nothing, or one run for all of them. */
export const IfMissed = z.enum(['skip', 'once'], { error: 'skip or once' })
export type IfMissed = z.output<typeof IfMissed>

export const openOutcomes = ['waiting', 'running'] as const
/** `skipped`: the run before it went on. `missed`: it was due while nothing ran it. */
export const Outcome = z.enum([...openOutcomes, 'succeeded', 'failed', 'cancelled', 'skipped', 'missed'])
export type Outcome = z.output<typeof Outcome>

export const Cron = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  domainId: Id,
  fqdn: Fqdn,
  name: z.string(),
  schedule: z.string(),
  timeZone: z.string(),
  command: TenantCommand,
  environment: z.array(z.string()),
  /** After so long a run is ended. */
  seconds: z.int(),
  /** The most that its runs come later than the schedule says, by the same time each. */
  jitterSeconds: z.int(),
  ifMissed: IfMissed,
  isEnabled: z.boolean(),
  /** null: it is switched off, or its schedule has no more times. */
  nextAt: Time.nullable(),
  lastEndedAt: Time.nullable(),
  lastOutcome: Outcome.nullable(),
  /** Its runs have failed since; null while the last one did not. */
  failingSince: Time.nullable(),
  lastProblem: z.string().nullable(),
  /** A run was due then and did not begin; null since one has succeeded. */
  missedAt: Time.nullable(),
  status: z.string(),
  ...timestamps,
})
export type Cron = z.output<typeof Cron>

/** `id`: also of the job that it is, so that "job.output" has what it printed. */
export const Run = z.strictObject({
  id: Id,
  cronId: Id,
  dueAt: Time,
  isByHand: z.boolean(),
  outcome: Outcome,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  /** From its start to its end. */
  milliseconds: z.int().nullable(),
  /** null where it did not exit by itself. */
  exitCode: z.int().nullable(),
  problem: z.string().nullable(),
})
export type Run = z.output<typeof Run>

function problemOf(text: string): CalendarProblem | undefined {
  if (text.length > longestSchedule) return undefined // told already, and no message holds all of it
  try {
    parseCalendar(text)
    return undefined
  } catch (error) {
    if (error instanceof CalendarProblem) return error
    throw error
  }
}

function isTimeZone(name: string): boolean {
  // an offset is no zone: it knows no changes of the clock
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

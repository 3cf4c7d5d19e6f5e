/** The times of a schedule, whichever way it was written. */
export interface Calendar {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  /** Of the month, from its first. */
  readonly days: ReadonlySet<number>
  /** Of the month, from its last, which is 1. */
  readonly lastDays: ReadonlySet<number>
  /** 1 is January. */
  readonly months: ReadonlySet<number>
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>
  /** null: every year. */
  readonly years: ReadonlySet<number> | null
  /** A day that fits either the month's days or the week's is enough: crontab(5), when both are restricted. */
  readonly isEitherDay: boolean
}

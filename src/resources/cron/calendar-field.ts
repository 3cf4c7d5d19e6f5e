/** One field of a calendar expression: lists of values, ranges and steps. */

export class CalendarProblem extends Error {
  override readonly name = 'CalendarProblem'
  /** Goes on after the name of the input. */
  readonly problem: string
  readonly accepted: string

  constructor(problem: string, accepted: string) {
    super(`The schedule ${problem}; accepted: ${accepted}`)
    this.problem = problem
    this.accepted = accepted
  }
}

export interface FieldRules {
  /** As messages name it. */
  readonly what: string
  readonly min: number
  readonly max: number
  /** Words for values, in lower case; the first stands for `min`. */
  readonly names?: readonly string[]
  /** Between the ends of a range. */
  readonly range: '-' | '..'
  /** `5/15` is every fifteenth from 5 on; crontab(5) takes steps of a range or of `*` alone. */
  readonly mayStepFromOne: boolean
}

const longestList = 60

export function parseField(text: string, rules: FieldRules): Set<number> {
  const parts = text.split(',')
  if (parts.length > longestList) refuse(text, rules)
  return new Set(parts.flatMap((part) => valuesOf(part, rules)))
}

function valuesOf(part: string, rules: FieldRules): number[] {
  const { min, max, range, mayStepFromOne } = rules
  const [whole = '', step, ...rest] = part.split('/')
  const [from = '', to, ...more] = whole.split(range)
  if (rest.length > 0 || more.length > 0) refuse(part, rules)
  const by = step === undefined ? 1 : numberIn(step, rules)
  if (by < 1 || by > max) refuse(part, rules)
  const isAll = whole === '*'
  if (step !== undefined && to === undefined && !isAll && !mayStepFromOne) refuse(part, rules)
  const first = isAll ? min : readValue(from, rules)
  const last = isAll ? max : to === undefined ? (step === undefined ? first : max) : readValue(to, rules)
  if (first < min || last > max || first > last) refuse(part, rules)
  return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, place) => first + place * by)
}

function readValue(word: string, rules: FieldRules): number {
  const place = rules.names?.indexOf(word.toLowerCase()) ?? -1
  return place === -1 ? numberIn(word, rules) : rules.min + place
}

function numberIn(word: string, rules: FieldRules): number {
  return /^\d{1,4}$/.test(word) ? Number(word) : refuse(word, rules)
}

function refuse(part: string, { what, min, max, range, names, mayStepFromOne }: FieldRules): never {
  const words = names === undefined ? '' : ` (or ${names[0]} to ${names.at(-1)})`
  const steps = mayStepFromOne ? `"${min}/2"` : '"*/2"'
  throw new CalendarProblem(
    `has "${part}" as ${what}`,
    `numbers from ${min} to ${max}${words}, lists "a,b", ranges "a${range}b", steps ${steps}, or "*" as ${what}`,
  )
}

/** What of an answer is shown once and never again, such as a new password. */

const named = ['id', 'jobId', 'owner']

/** None where there is none; an answer may well do without, such as when a link was mailed. */
export function shownOnce(answer: unknown): (readonly [string, string | readonly unknown[]])[] {
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer).flatMap(([key, given]: [string, unknown]) =>
    !named.includes(key) && (typeof given === 'string' || Array.isArray(given)) ? [[key, given] as const] : [],
  )
}

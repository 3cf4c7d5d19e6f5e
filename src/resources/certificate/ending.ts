/** When people are told that a certificate ends: on some days before it, and of one that lives a week later than of others. */
import type { Ending } from './store.ts'

const day = 86_400_000
export const warnedMs = 14 * day
const criticalMs = 3 * day
/** Days before its end; 0: it has ended. */
const told = [0, 1, 3, 7, 14]

type Life = Pick<Ending, 'notBefore' | 'notAfter'>

/** @param at milliseconds since 1970 @returns the last of the days that have come; null: none has */
export function toldDays(one: Life, at: number): number | null {
  const left = leftOf(one, at)
  if (left > Math.min(warnedMs, shareOf(one))) return null
  return told.find((days) => left <= days * day) ?? null
}

export function isCritical(one: Life, at: number): boolean {
  return leftOf(one, at) <= Math.min(criticalMs, shareOf(one) / 2)
}

/** The same words from one of these days to the next. */
export function whenOf(days: number): string {
  if (days === 0) return 'has ended'
  return days === 1 ? 'ends within a day' : `ends within ${days} days`
}

function leftOf({ notAfter }: Life, at: number): number {
  return Date.parse(notAfter) - at
}

/** Of one that lives a week two days are a lot. */
function shareOf({ notBefore, notAfter }: Life): number {
  return (Date.parse(notAfter) - Date.parse(notBefore)) / 4
}

/** How a person reads numbers and moments on pages. */
import { z } from 'zod'
import type { Display } from '../../lib/formats.ts'
import { TimeZone } from '../cron/schema.ts'

/** Whose forms of numbers and dates are offered, as BCP 47; words are not concerned. */
export const locales = [
  ...(['en-GB', 'en-US', 'en-CA', 'ar-EG', 'cs-CZ', 'da-DK', 'de-AT', 'de-CH', 'de-DE', 'el-GR', 'es-ES'] as const),
  ...(['es-MX', 'fa-IR', 'fi-FI', 'fr-CA', 'fr-CH', 'fr-FR', 'he-IL', 'hi-IN', 'hu-HU', 'it-IT', 'ja-JP'] as const),
  ...(['ko-KR', 'nb-NO', 'nl-NL', 'pl-PL', 'pt-BR', 'pt-PT', 'ro-RO', 'ru-RU', 'sv-SE', 'tr-TR', 'uk-UA'] as const),
  ...(['vi-VN', 'zh-CN', 'zh-TW'] as const),
] as const

export const Locale = z.enum(locales, { error: `one of ${locales.join(', ')}` })

export { TimeZone }

export const AccountDisplay = z.strictObject({
  email: z.string(),
  /** null: ISO 8601 and `1,234.5`. */
  locale: Locale.nullable(),
  /** null: UTC. */
  timeZone: z.string().nullable(),
})
export type AccountDisplay = z.output<typeof AccountDisplay>

/** A zone or a locale that this version does not know, or no more, is none. */
export function displayOf({
  locale,
  time_zone: zone,
}: {
  readonly locale: string | null
  readonly time_zone: string | null
}): Display & Pick<AccountDisplay, 'locale'> {
  return { locale: Locale.safeParse(locale).data ?? null, timeZone: TimeZone.safeParse(zone).data ?? null }
}

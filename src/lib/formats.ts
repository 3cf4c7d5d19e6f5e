/** Numbers, shares, sizes and moments as one person reads them. */
import { sizeText } from './size-text.ts'

/** What a person has chosen; null: nothing. */
export interface Display {
  /** BCP 47, such as `de-CH`; null: ISO 8601 and `1,234.5`. */
  readonly locale: string | null
  /** IANA, such as `Europe/Zurich`; null: UTC. */
  readonly timeZone: string | null
}

export interface Formats {
  readonly timeZone: string
  number(value: number): string
  /** With so many digits behind the point. */
  fixed(value: number, digits: number): string
  /** `87 %`, of a value from 0 to 100. */
  percent(value: number): string
  /** `1.5 GiB`, of bytes. */
  bytes(value: number): string
  /** `3 d 4 h`, of seconds: the largest units that are not zero, two of them unless told. */
  duration(seconds: number, most?: number): string
  /** `2026-11-20 14:03:07 UTC`, of ISO 8601; what is none is returned as it is. */
  when(iso: string): string
  /** `2026-11-20 14:03 UTC` */
  minute(iso: string): string
  /** `4 min ago`. @param now milliseconds since 1970 */
  ago(iso: string, now?: number): string
}

/** The words between the numbers, from the catalogue. */
export interface TimeWords {
  readonly now: string
  readonly ago: (span: string) => string
  readonly ahead: (span: string) => string
  readonly units: { readonly days: string; readonly hours: string; readonly minutes: string; readonly seconds: string }
}

const digits = { numberingSystem: 'latn' } as const

export function formatsOf({ locale, timeZone: zone }: Display, words: TimeWords): Formats {
  const spoken = locale ?? 'en'
  const timeZone = zone ?? 'UTC'
  const whole = new Intl.NumberFormat(spoken, digits)
  const told = (clock: (date: Date) => string) => (iso: string) =>
    Number.isNaN(Date.parse(iso)) ? iso : clock(new Date(iso))

  const fixed = (value: number, places: number) =>
    value.toLocaleString(spoken, { ...digits, minimumFractionDigits: places, maximumFractionDigits: places })

  const duration = (seconds: number, most = 2) => {
    const { days, hours, minutes, seconds: rest } = words.units
    const all = Math.max(0, Math.round(seconds))
    const parts = [
      [Math.floor(all / 86_400), days],
      [Math.floor(all / 3600) % 24, hours],
      [Math.floor(all / 60) % 60, minutes],
      [all % 60, rest],
    ] as const
    const first = parts.findIndex(([value]) => value > 0)
    if (first === -1) return `0 ${rest}`
    return parts
      .slice(first, first + most)
      .flatMap(([value, unit]) => (value > 0 ? [`${whole.format(value)} ${unit}`] : []))
      .join(' ')
  }

  return {
    timeZone,
    number: (value) => whole.format(value),
    fixed,
    percent: (value) => `${fixed(value, value > 0 && value < 10 ? 1 : 0)} %`,
    bytes: (value) => sizeText(value, fixed),
    duration,
    when: told(clockIn(locale, timeZone, { second: '2-digit' })),
    minute: told(clockIn(locale, timeZone, {})),
    ago(iso, now = Date.now()) {
      const seconds = (now - Date.parse(iso)) / 1000
      if (Number.isNaN(seconds)) return iso
      if (seconds < 0) return words.ahead(duration(-seconds, 1))
      return seconds < 5 ? words.now : words.ago(duration(seconds, 1))
    },
  }
}

/** With the distance from UTC beside it, which says the same to everybody, as abbreviations of zones do not. */
function clockIn(locale: string | null, timeZone: string, finer: Intl.DateTimeFormatOptions): (date: Date) => string {
  const two = '2-digit'
  const clock = new Intl.DateTimeFormat(locale ?? 'sv-SE', {
    ...digits,
    ...{ timeZone, calendar: 'gregory', year: 'numeric', month: two, day: two, hour: two, minute: two, ...finer },
  })
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return (date) => {
    const name = offset.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    return `${clock.format(date)} ${name.replace('GMT+00:00', 'UTC').replace('GMT', 'UTC')}`
  }
}

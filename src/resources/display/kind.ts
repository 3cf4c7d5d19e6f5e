/** How a person reads numbers and moments on pages. */
import { nothing } from '../../lib/command-spec.ts'
import { formatsOf } from '../../lib/formats.ts'
import type { Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { defineKind, type Offer, wordsOf } from '../kind.ts'
import * as operations from './operations.ts'
import { type AccountDisplay, locales } from './schema.ts'
import { displayStore, displays } from './store.ts'

const words = {
  one: 'time zone and format',
  many: 'Time zone and format',
  now: 'Now',
  numbers: 'Numbers',
  utc: 'UTC',
  iso: 'ISO 8601',
  ledes: { update: 'How times, numbers and dates are shown to you. Programs get them as before.' },
  done: { update: 'Times, numbers and dates are shown as you chose.' },
  fields: { timeZone: 'Time zone', locale: 'Format of numbers and dates' },
}

export const display = defineKind({
  name: 'display',
  words,
  path: '/account',
  offers: (field, _, t) => (field === 'timeZone' ? zones(t) : field === 'locale' ? formats(t) : undefined),
  stores: { displays: displayStore },
  migrations: [displays],
  examples: { update: { timeZone: 'Europe/Zurich', locale: 'de-CH' } },
  operations,
})

/** On the page of the own account, in that very form. */
export function displaySection(t: Texts, { email, locale, timeZone }: AccountDisplay): Section {
  const w = wordsOf(t, display)
  const change = `/do/display.update${query({ user: email, _back: '/account' })}`
  return {
    title: w.many,
    link: { title: t.settings.change, href: change },
    facts: [
      { title: w.fields.timeZone, text: timeZone ?? w.utc },
      { title: w.fields.locale, text: locale === null ? w.iso : nameOf(t, locale) },
      { title: w.now, text: t.format.when(new Date().toISOString()) },
      { title: w.numbers, text: t.format.number(sampleNumber) },
    ],
  }
}

const sampleNumber = 1_234_567
const sampleMoment = '2026-12-31T13:45:00Z'

function zones(t: Texts): Offer[] {
  const all = Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')
  return [{ value: '', title: wordsOf(t, display).utc }, ...all.map((zone) => ({ value: zone, title: zone }))]
}

/** Each with what it looks like. */
function formats(t: Texts): Offer[] {
  const sample = (locale: string | null) => {
    const { minute, number } = formatsOf({ locale, timeZone: null }, t.time)
    return `${minute(sampleMoment)} · ${number(sampleNumber)}`
  }
  const named = locales.map((locale) => ({ value: locale, title: `${nameOf(t, locale)}: ${sample(locale)}` }))
  const byName = named.toSorted((a, b) => a.title.localeCompare(b.title, t.lang))
  return [{ value: nothing, title: `${wordsOf(t, display).iso}: ${sample(null)}` }, ...byName]
}

function nameOf(t: Texts, locale: string): string {
  return new Intl.DisplayNames(t.lang, { type: 'language' }).of(locale) ?? locale
}

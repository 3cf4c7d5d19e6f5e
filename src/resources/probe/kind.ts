/** Whether sites answer: looked at by this machine itself, and shown on the page of each site. */
import { type Badge, type Section, type Strip, statusBadge } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { defineKind, type Hub, type Look, type Tab } from '../kind.ts'
import { failingSites } from './conditions.ts'
import * as operations from './operations.ts'
import { type ProbeDay, type ProbeState, type RecentProbe, SiteProbe } from './schema.ts'
import { probeStore, siteProbes } from './store.ts'
import { words } from './words.ts'

type Words = typeof words

const healthTab: Tab<Hub, Words> = {
  slug: 'health',
  order: 32,
  title: ({ words }) => words.tab,
  needs: 'probe.get',
  input: ({ ref }) => ({ domain: ref }),
  async sections({ ref, isGone }, look) {
    const { words } = look
    const one = isGone ? null : await look.one('probe.get', { domain: ref }, SiteProbe)
    if (one === null) return [{ title: words.tab, empty: words.noDays }]
    return [
      { title: words.strip, ...(one.days.length > 0 && { strip: stripOf(one.days, words) }), empty: words.noDays },
      factsOf(one, ref, look),
      { title: words.recent, table: recentTable(one.recent, words), empty: words.noRecent },
    ]
  },
}

export const probe = defineKind({
  name: 'probe',
  words,
  path: '/domains',
  item: SiteProbe,
  tabs: { domain: [healthTab] },
  stores: { probes: probeStore },
  migrations: [siteProbes],
  tables: { site_probes: { one: 'probe of a site', name: ['domain_id'], shows: ['is_deep'] } },
  conditions: [failingSites],
  examples: { get: { domain: 'bakery.example.com' }, update: { domain: 'bakery.example.com', deep: true } },
  operations,
})

function badgeOf(state: ProbeState, { states }: Words): Badge {
  const tones = { up: 'good', down: 'bad', closed: 'idle', unknown: 'idle' } as const
  return { ...statusBadge(state, states), tone: tones[state] }
}

function factsOf(one: SiteProbe, ref: string, { words, may }: Look<Words>): Section {
  const { https, dns, recent } = one
  const last = recent[0]
  const edit = { title: words.choose, href: `/do/probe.update${query({ domain: ref, deep: one.deep ? '' : 'true' })}` }
  return {
    title: words.now,
    ...(may('probe.update') && { link: edit }),
    facts: [
      { title: words.now, badge: badgeOf(one.state, words) },
      ...(one.failingSince === null ? [] : [{ title: words.since, time: one.failingSince }]),
      ...(one.problem === null ? [] : [{ title: words.why, text: one.problem }]),
      ...(one.checkedAt === null ? [] : [{ title: words.checked, time: one.checkedAt }]),
      ...(last?.ms == null ? [] : [{ title: words.time, text: `${last.ms} ${words.ms}` }]),
      https === null
        ? { title: words.https, text: words.noTls }
        : {
            title: words.https,
            badge: { text: words.tls[https.state], tone: https.state === 'valid' ? 'good' : 'bad' },
            ...(https.validTo !== null && { sub: `${words.until} ${https.validTo.slice(0, 10)}` }),
          },
      ...(dns === null
        ? []
        : [{ title: words.dns, text: words.leads[dns.state], ...(dns.seen !== '' && { sub: dns.seen }) }]),
      { title: words.deep, text: one.deep ? words.deepOn : words.deepOff },
    ],
  }
}

function stripOf(days: readonly ProbeDay[], words: Words): Strip {
  return {
    label: words.strip,
    cells: days.map((one) => {
      const looks = one.up + one.down
      if (looks === 0) return { title: words.dayClosed(one.day), tone: 'idle' }
      const share = `${((one.up / looks) * 100).toFixed(one.down === 0 ? 0 : 2)} %`
      const tone = one.down === 0 ? 'good' : one.up / looks > 0.99 ? 'busy' : 'bad'
      return { title: words.day(one.day, share, one.down, one.ms), tone }
    }),
    most: 90,
    ends: [days[0]?.day ?? '', days.at(-1)?.day ?? ''],
  }
}

function recentTable(recent: readonly RecentProbe[], words: Words) {
  return {
    caption: words.recent,
    columns: [{ title: words.moment }, { title: words.result }, { title: words.time, number: true }],
    rows: recent
      .slice(0, 15)
      .map((one) => [
        { time: one.at },
        { badge: badgeOf(one.state, words), ...(one.problem !== '' && { sub: one.problem }) },
        { text: one.ms === null ? '–' : `${one.ms} ${words.ms}` },
      ]),
  }
}

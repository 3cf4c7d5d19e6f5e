/** Certificates of domains: each active domain gets one by itself, and keeps one that is valid. */

import { type Cell, type Section, statusBadge } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label } from '../../lib/texts.ts'
import { defineKind, type Hub, type Look, type Tab } from '../kind.ts'
import { ownedRow } from '../owned-row.ts'
import { endingCertificates } from './conditions.ts'
import { certificateEnds } from './ends-migration.ts'
import { exampleChain } from './example-chain.ts'
import * as operations from './operations.ts'
import { Certificate, progress } from './schema.ts'
import { certificateStore, certificates, wishes } from './store.ts'
import { words } from './words.ts'

type Words = typeof words

const httpsTab: Tab<Hub, typeof words> = {
  slug: 'https',
  order: 20,
  title: ({ words }) => words.https,
  needs: 'certificate.list',
  input: ({ ref }) => ({ domain: ref }),
  async sections({ ref, isGone }, look) {
    const { words } = look
    const [one] = isGone ? [] : await look.some('certificate.list', { domain: ref }, Certificate)
    if (one !== undefined) {
      const link = { title: words.open, href: path`/certificates/${one.fqdn}` }
      return [{ ...steps(one, words), link }, facts(one, look)]
    }
    const create = { title: words.add, href: `/do/certificate.create${query({ domain: ref })}` }
    const mayCreate = !isGone && look.may('certificate.create')
    return [{ title: words.https, empty: words.noneText, ...(mayCreate && { link: create }) }]
  },
}

export const certificate = defineKind({
  name: 'certificate',
  words,
  path: '/certificates',
  menu: { group: 'hosting', icon: 'key' },
  parent: 'domain',
  tabs: { domain: [httpsTab] },
  item: Certificate,
  columns: ({ t, words }) => [
    {
      title: label(t, 'fqdn'),
      cell: ({ fqdn, names }) => ({
        text: shownHost(fqdn),
        href: `/certificates/${fqdn}`,
        ...(names.length > 1 && { sub: names.slice(1).join(', ') }),
      }),
    },
    { title: words.state, cell: (one) => state(one, words) },
    { title: words.fields.notAfter, cell: ({ notAfter }) => moment(notAfter) },
    { title: words.fields.issuer, wide: true, cell: ({ issuer }) => ({ text: issuer ?? '–' }) },
  ],
  detail: {
    ref: ({ fqdn }) => fqdn,
    page: async (one, look) => {
      const { t, words } = look
      const jobs = await look.table('job', { resource: one.id, limit: 8 })
      return {
        title: shownHost(one.fqdn),
        status: statusBadge(one.status, t.statuses),
        more: [
          { title: words.upload, operation: 'certificate.upload' },
          ...(one.source === 'acme' || one.notAfter !== null
            ? [{ title: words.renew, operation: 'certificate.renew' }]
            : []),
        ].filter(({ operation }) => look.may(operation)),
        verbs: [],
        sections: [
          steps(one, words),
          facts(one, look),
          ...(jobs.rows.length > 0 ? [{ title: t.job.recent, table: jobs }] : []),
        ],
      }
    },
  },
  conditions: [endingCertificates],
  examples: { create: { domain: 'bakery.example.com' }, upload: { chain: exampleChain } },
  stores: { certificates: certificateStore },
  migrations: [certificates, certificateEnds],
  tables: { certificates: { one: 'certificate', name: ['fqdn'], shows: ['source', 'status', 'not_after'] } },
  row: ownedRow('certificates', 'fqdn', wishes),
  operations,
})

function facts(one: Certificate, { t, words }: Pick<Look<Words>, 't' | 'words'>): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'fqdn'), text: shownHost(one.fqdn), href: `/domains/${one.fqdn}` },
      { title: label(t, 'tenant'), text: one.tenantName, href: `/tenants/${one.tenantName}` },
      { title: words.fields.names, text: one.names.length > 0 ? one.names.join(', ') : '–' },
      { title: words.fields.source, text: words.sources[one.source] },
      { title: words.fields.issuer, text: one.issuer ?? '–' },
      { title: words.fields.notAfter, ...moment(one.notAfter) },
      { title: words.fields.renewAt, ...moment(one.renewAt) },
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

/** The way of a name to its certificate, and where it stands. */
function steps(one: Certificate, w: typeof words): Section {
  const at = progress.indexOf(one.progress)
  const isOver = one.progress === 'served' && one.status === 'active'
  const rows = progress.map((step, place): Cell[] => {
    const isDone = isOver || place < at
    const isHere = !isOver && place === at
    const badge = isDone
      ? ({ text: w.ready, tone: 'good' } as const)
      : isHere
        ? ({ text: one.problem === null ? w.underWay : w.waits, tone: one.problem === null ? 'busy' : 'bad' } as const)
        : ({ text: w.notYet, tone: 'idle' } as const)
    const isTold = isHere || (isOver && step === one.progress)
    return [{ text: w.steps[step], ...(isTold && one.problem !== null && { sub: one.problem }) }, { badge }]
  })
  return { title: w.way, table: { caption: w.way, columns: [{ title: w.step }, { title: w.state }], rows } }
}

function state(one: Certificate, w: typeof words): Cell {
  const sub = one.problem === null ? {} : { sub: one.problem }
  if (one.progress === 'served') return { badge: { text: w.steps.served, tone: 'good' }, ...sub }
  if (one.problem !== null) return { badge: { text: w.waits, tone: 'bad' }, ...sub }
  return { badge: { text: w.underWay, tone: 'busy' } }
}

function moment(time: string | null): Cell {
  return time === null ? { text: '–' } : { time }
}

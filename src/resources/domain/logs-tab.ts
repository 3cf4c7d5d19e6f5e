/** The web server's logs of a site on its page: its lines, and what occurs most in them. */
import type { Cell, Filter, Section, Table } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { sizeText } from '../../lib/size-text.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Asked, Look, Tab } from '../kind.ts'
import type { LogEntry } from './log-line.ts'
import type { TopList } from './log-tops.ts'
import { logs, top } from './logs.ts'
import { refOf } from './pages.ts'
import type { Domain } from './schema.ts'
import type { words as own } from './words.ts'

const narrowing = ['search', 'path', 'address', 'since', 'until', 'status', 'errors'] as const
const statuses = ['2xx', '3xx', '4xx', '5xx', '403', '404', '429', '500', '502', '503', '504']

export const logsTab: Tab<Domain, typeof own> = {
  slug: 'logs',
  order: 30,
  title: ({ words }) => words.logs.title,
  needs: 'domain.logs',
  input: (one) => ({ domain: refOf(one) }),
  async sections(one, look, asked) {
    const { words, t } = look
    if (one.deletedAt !== null) return [{ title: words.logs.title, empty: words.logs.inTrash }]
    const isOfErrors = asked.errors === 'true'
    const { status, ...others } = { ...chosen(asked, narrowing), ...chosen(asked, ['cursor']) }
    const given = { ...others, ...(status !== undefined && !isOfErrors && { status }) }
    const found = await look.one('domain.logs', { domain: one.id, ...given }, logs.output)
    if (found === null) return []
    const { cursor, ...narrowed } = given
    const here = `/domains/${refOf(one)}/logs`
    const notes = [
      ...(found.isCut ? [words.logs.cut] : []),
      ...(found.dropped > 0 ? [words.logs.dropped(found.dropped)] : []),
    ]
    return [
      {
        title: isOfErrors ? words.logs.errors : words.logs.requests,
        filter: filterOf(look, here, narrowed),
        ...(notes.length > 0 && { note: notes.join(' ') }),
        table: isOfErrors ? errorTable(look, found.items) : requestTable(look, found.items),
        empty: found.nextCursor === null ? words.logs.none : words.logs.noneHere,
        pager: {
          first: cursor === undefined ? null : here + query(narrowed),
          next: found.nextCursor === null ? null : here + query({ ...narrowed, cursor: found.nextCursor }),
          nextTitle: found.items.length === 0 ? words.logs.goOn : t.list.next,
        },
      },
    ]
  },
}

export const visitsTab: Tab<Domain, typeof own> = {
  slug: 'top',
  order: 31,
  title: ({ words }) => words.visits.title,
  needs: 'domain.top',
  input: (one) => ({ domain: refOf(one) }),
  async sections(one, look, asked) {
    const { words, t } = look
    if (one.deletedAt !== null) return [{ title: words.visits.title, empty: words.logs.inTrash }]
    const given = chosen(asked, ['since', 'until'])
    const found = await look.one('domain.top', { domain: one.id, ...given }, top.output)
    if (found === null) return []
    const lists = [
      [words.visits.paths, found.paths],
      [words.visits.addresses, found.addresses],
      [words.visits.statuses, found.statuses],
      [words.visits.agents, found.agents],
    ] as const
    const action = `/domains/${refOf(one)}/top`
    return [
      {
        title: words.visits.title,
        filter: { action, texts: periodTexts(t, given), selects: [], hasDeleted: false, deleted: false },
        facts: [
          { title: words.visits.requests, text: found.requests.toLocaleString('en') },
          { title: words.visits.sent, text: sizeText(found.sent) },
          ...(found.from === null ? [] : [{ title: words.visits.from, time: found.from }]),
          ...(found.isCut ? [{ title: words.visits.extent, text: words.visits.cut }] : []),
          ...(found.dropped > 0 ? [{ title: words.visits.left, text: words.logs.dropped(found.dropped) }] : []),
        ],
      },
      ...lists.map(([title, list]): Section => ({ title, table: topTable(look, title, list), empty: words.logs.none })),
    ]
  },
}

function chosen<K extends string>(asked: Asked, names: readonly K[]): { readonly [key in K]?: string } {
  return Object.fromEntries(names.flatMap((name) => (asked[name] ? [[name, asked[name]] as const] : []))) as {
    readonly [key in K]?: string
  } // the names are those
}

function filterOf({ t, words }: Look<typeof own>, action: string, given: Asked): Filter {
  const text = (name: string, title: string) => ({ name, title, value: given[name] ?? '' })
  return {
    action,
    texts: [
      text('search', label(t, 'search')),
      text('path', words.logs.path),
      text('address', words.logs.address),
      ...periodTexts(t, given),
    ],
    selects: [
      {
        name: 'errors',
        title: words.logs.log,
        value: given.errors ?? '',
        open: words.logs.requests,
        choices: [{ value: 'true', title: words.logs.errors }],
      },
      {
        name: 'status',
        title: words.logs.status,
        value: given.status ?? '',
        open: t.list.any,
        choices: statuses.map((one) => ({ value: one, title: one })),
      },
    ],
    hasDeleted: false,
    deleted: false,
  }
}

function periodTexts(t: Texts, given: Asked): Filter['texts'] {
  return (['since', 'until'] as const).map((name) => ({ name, title: label(t, name), value: given[name] ?? '' }))
}

function requestTable({ words }: Look<typeof own>, items: readonly LogEntry[]): Table {
  const { time, status, what, address, sent } = words.logs
  return {
    caption: words.logs.requests,
    columns: [
      { title: time },
      { title: status },
      { title: what, long: true },
      { title: address, wide: true },
      { title: sent, number: true, wide: true },
    ],
    rows: items.map((one) => [
      { text: clockOf(one) },
      statusCell(one.status),
      { code: `${one.method} ${one.uri}`, ...(one.agent !== '' && { sub: one.agent }) },
      { code: one.remote },
      { text: sizeText(one.sent ?? 0), sub: one.seconds === null ? '' : `${one.seconds} s` },
    ]),
  }
}

function errorTable({ words }: Look<typeof own>, items: readonly LogEntry[]): Table {
  const { time, level, text, address } = words.logs
  return {
    caption: words.logs.errors,
    columns: [{ title: time }, { title: level }, { title: text, long: true }, { title: address, wide: true }],
    rows: items.map((one) => [
      { text: clockOf(one) },
      { badge: { text: one.level ?? '', tone: 'bad' } },
      { code: one.text, ...(one.uri !== '' && { sub: `${one.method} ${one.uri}` }) },
      { code: one.remote },
    ]),
  }
}

function topTable({ words }: Look<typeof own>, title: string, list: TopList): Table {
  const most = list[0]?.requests ?? 1
  return {
    caption: title,
    columns: [
      { title, long: true },
      { title: words.visits.requests, number: true },
      { title: words.visits.sent, number: true, wide: true },
    ],
    rows: list.map(({ name, requests, sent }) => [
      { code: name === '' ? '–' : name },
      { text: requests.toLocaleString('en'), part: (requests / most) * 0.8 },
      { text: sizeText(sent) },
    ]),
  }
}

/** `2026-11-30 02:46:03`: who reads a log compares moments. */
function clockOf({ time }: LogEntry): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`
}

function statusCell(status: number | null): Cell {
  if (status === null) return { text: '' }
  const tone = status >= 500 ? 'bad' : status >= 400 ? 'busy' : status >= 300 ? 'idle' : 'good'
  return { badge: { text: String(status), tone } }
}

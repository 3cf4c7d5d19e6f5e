/** The model that kinds hand to the templates: words, links and tones, never markup. */

export type Tone = 'good' | 'busy' | 'idle' | 'bad'

export interface Badge {
  readonly text: string
  readonly tone: Tone
}

/** One value in a table or among facts; the first that is set of badge, time, href, code and text is shown, a time as a link where `href` is set. */
export interface Cell {
  readonly text?: string | number
  readonly href?: string
  readonly badge?: Badge
  /** ISO 8601. In a table the time since then, or until then, comes first, and the moment below it; among facts it is the other way round. */
  readonly time?: string
  readonly code?: string
  /** Of a whole, from 0 to 1: as a bar below the text. */
  readonly part?: number
  /** A second, quieter line. */
  readonly sub?: string
  /** Said after the text to those who cannot see the row. */
  readonly label?: string
}

export interface Column {
  readonly title: string
  /** A list can be in its order. */
  readonly sorts?: 'name' | 'age'
  readonly number?: boolean
  /** Left out on narrow screens. */
  readonly wide?: boolean
  /** The title is for screen readers only. */
  readonly hidden?: boolean
  /** Its texts may be as long as somebody likes: they take several lines. */
  readonly long?: boolean
}

/** A box before a row, by which it is chosen for what is done with several at once. */
export interface Pick {
  readonly value: string
  readonly title: string
}

export interface SortLink {
  readonly href: string
  /** How the list is in the order of this column now. */
  readonly now: 'ascending' | 'descending' | null
}

export interface Table {
  readonly caption: string
  /** One for each column; null for those that a list cannot be in the order of. */
  readonly sorting?: readonly (SortLink | null)[]
  /** One for each row, where the table stands in a form. */
  readonly picks?: readonly Pick[]
  readonly allPicked?: boolean
  readonly columns: readonly Column[]
  /** Cells in the order of the columns; the first one heads its row. */
  readonly rows: readonly (readonly Cell[])[]
}

export type Fact = Cell & { readonly title: string }

export interface Action {
  readonly title: string
  readonly href: string
  /** The one thing most people come for. */
  readonly main?: boolean
  /** Cannot be taken back with one command. */
  readonly danger?: boolean
  readonly icon?: string
}

export interface Head {
  readonly title: string
  readonly lede?: string
  readonly status?: Badge
  readonly crumbs?: readonly { readonly title: string; readonly href: string }[]
  readonly actions?: readonly Action[]
}

export interface Empty {
  readonly title: string
  readonly text: string
  readonly action?: { readonly title: string; readonly href: string }
}

export interface ShownChange {
  readonly step: string
  readonly action: string
  readonly lines: readonly { readonly text: string; readonly tone: string }[]
}

/** Controls above a list that narrow it; a plain form that asks for the same page. */
export interface Filter {
  readonly action: string
  readonly texts: readonly { readonly name: string; readonly title: string; readonly value: string }[]
  readonly selects: readonly {
    readonly name: string
    readonly title: string
    readonly value: string
    /** Where nothing is chosen. */
    readonly open: string
    readonly choices: readonly { readonly value: string; readonly title: string }[]
  }[]
  readonly hasDeleted: boolean
  readonly deleted: boolean
}

/** Links to other pages of a list; null where there is none. */
export interface Pager {
  readonly first: string | null
  readonly next: string | null
  readonly nextTitle?: string
}

/** Figures side by side, the oldest first. */
export interface Bars {
  /** Said to those who cannot see them. */
  readonly label: string
  readonly bars: readonly { readonly title: string; readonly value: number }[]
  /** Below the first and the last. */
  readonly ends: readonly [string, string]
}

/** Days side by side, the newest at the end. */
export interface Strip {
  /** Said to those who cannot see it. */
  readonly label: string
  readonly cells: readonly { readonly title: string; readonly tone: Tone }[]
  /** Room is left for so many. */
  readonly most: number
  /** Below the first and the last. */
  readonly ends: readonly [string, string]
}

export interface Section {
  readonly title: string
  readonly strip?: Strip
  readonly filter?: Filter
  /** Above what is listed. */
  readonly note?: string
  readonly bars?: Bars
  readonly pager?: Pager
  /** Stands beside the others on wide screens. */
  readonly isAside?: boolean
  readonly link?: { readonly title: string; readonly href: string }
  readonly facts?: readonly Fact[]
  readonly table?: Table
  /** Of many lines, shown as it is. */
  readonly text?: string
  /** Differences, each with the lines of its diff. */
  readonly changes?: readonly ShownChange[]
  /** Said when facts and table are empty. */
  readonly empty?: string
}

/** A form's or page's counterpart on the command line. */
export interface Command {
  readonly line: string
  /** Method, path and body. */
  readonly call?: string
}

const tones: Readonly<Record<string, Tone>> = {
  active: 'good',
  succeeded: 'good',
  running: 'busy',
  pending: 'busy',
  deploying: 'busy',
  queued: 'busy',
  unverified: 'busy',
  deleting: 'busy',
  restoring: 'busy',
  purging: 'busy',
  stalled: 'bad',
  error: 'bad',
  failed: 'bad',
  missing: 'bad',
}

/** The badge of a status or job state; unknown words are shown as they are. */
export function statusBadge(status: string, words: Readonly<Record<string, string>> = {}): Badge {
  return { text: words[status] ?? status, tone: tones[status] ?? 'idle' }
}

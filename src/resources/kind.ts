/** A kind of thing: what pages, menu, forms, references, search, numbers, examples and rights need to know of it, said once. */
import type { z } from 'zod'
import type { AnyOperation } from '../contract/operation.ts'
import type { Id } from '../contract/values.ts'
import type { Action, Badge, Cell, Column, Section, Table } from '../lib/page-model.ts'
import type { KindWords, Texts } from '../lib/texts.ts'
import type { Migration } from '../store/migrations/migration.ts'
import type { PanelContext } from './as-panel.ts'
import type { ConditionSource } from './condition-source.ts'
import type { Context } from './context.ts'
import type { JobRow } from './job-row.ts'
import type { KindNumbers } from './kind-numbers.ts'
import type { RowWords } from './row-words.ts'
import type { StoreFactories } from './stores.ts'

export type MenuGroup = 'hosting' | 'activity' | 'settings' | 'developer'

/** The visitor of a page, and what they may see from there. */
export interface Look<W = KindWords> {
  readonly t: Texts
  /** Of the kind whose page it is. */
  readonly words: W
  readonly visitor: { readonly id: Id; readonly email: string } | null
  may(operation: string): boolean
  /** Limits that this machine cannot enforce. */
  readonly unenforced: readonly string[]
  /** The answer of an operation; null where this visitor may not see it. */
  one<S extends z.ZodType>(operation: string, input: Input, schema: S): Promise<z.output<S> | null>
  /** The first page of a list; nothing where this visitor may not see it, or may not narrow it in this way. */
  some<S extends z.ZodType>(operation: string, input: Input, item: S): Promise<z.output<S>[]>
  /** `some` of a kind's list, as its table. @param input null: an empty one */
  table(kind: string, input: Input | null): Promise<Table>
}

export type Input = Readonly<Record<string, unknown>>

/** The query of an address. */
export type Asked = Readonly<Record<string, string | undefined>>

export interface Purged {
  readonly jobs: number
  readonly rows: number
}

export interface ItemColumn<T> extends Column {
  cell(one: T): Cell
}

/** A list on another kind's page leaves out the columns that name the thing of that page. */
export interface Rows<W> {
  readonly t: Texts
  readonly words: W
  readonly about?: string | undefined
}

/** Part of a thing's page behind a link of its own: of the thing's kind, or of another that puts itself there. */
export interface Tab<T, W> {
  /** Last part of its address. */
  readonly slug: string
  /** Smaller ones come first; 50 unless told. */
  readonly order?: number
  title(look: Pick<Look<W>, 't' | 'words'>): string
  /** The operation that it shows; who may not call it does not see the tab. */
  readonly needs: string
  input(one: T): Input
  /** @param asked what its address says of it, as its own filter and pages put it there */
  sections(one: T, look: Look<W>, asked: Asked): Promise<readonly Section[]>
}

/** The thing on whose page other kinds put a tab. */
export interface Hub {
  readonly kind: string
  readonly id: string
  /** The name that commands use. */
  readonly ref: string
  /** Name of the tenant that it is or belongs to. */
  readonly tenant: string | null
  /** It is in the trash. */
  readonly isGone: boolean
}

export interface Preset<W> {
  title(words: W): string
  has(operation: Pick<AnyOperation, 'name' | 'effect' | 'policy'>): boolean
}

/** A change of several things of a list at once: each is the ordinary operation of its own. */
export interface Bulk {
  readonly verb: string
  /** Inputs that are asked once for all of them; the others are left as they are. */
  readonly asks?: readonly string[]
}

export interface Offer {
  readonly value: string
  readonly title: string
}

/** One thing's page. */
export interface DetailPage {
  /** The reference unless told. */
  readonly title?: string
  readonly status?: Badge
  /** How it stands, in one sentence. */
  readonly lede?: string
  /** Nothing can be done with it. */
  readonly isFixed?: boolean
  /** Before what can be done with all of its kind. */
  readonly main?: readonly Action[]
  /** The actions on it in its present state, where they are not those of all of its kind. */
  readonly verbs?: readonly string[] | undefined
  /** Operations of its own and of other kinds that are about this one. */
  readonly more?: readonly { readonly title: string; readonly operation: string }[]
  readonly sections: readonly Section[]
  /** More of them that the first tab alone asks for. */
  first?(): Promise<readonly Section[]>
}

export interface Detail<T, W> {
  /** The name that commands use. */
  ref(one: T): string
  page(one: T, look: Look<W>): Promise<DetailPage>
  /** The kind below it whose list comes first on its page, and names the first tab. */
  readonly front?: string
  readonly tabs?: readonly Tab<T, W>[]
}

export interface Kind<N extends string = string, S extends z.ZodType = z.ZodType, W extends KindWords = KindWords>
  extends KindNumbers {
  readonly name: N
  readonly words: W
  /** Its page; of a kind with a menu entry also its list. */
  readonly path: `/${string}`
  readonly menu?: { readonly group: MenuGroup; readonly icon: string }
  /** The kind on whose page it is listed. */
  readonly parent?: string
  /** The item of lists and details. */
  readonly item?: S
  /** Output key by which forms refer to one, and the inputs that do. */
  readonly reference?: {
    readonly key: keyof z.output<S> & string
    readonly fields: readonly string[]
    /** Among choices, where that is more than the key. */
    title?(one: z.output<S>, t: Texts): string
  }
  columns?(rows: Rows<W>): readonly ItemColumn<z.output<S>>[]
  readonly list?: {
    /** Inputs by which its page narrows the list, besides the search and the state. */
    readonly filters?: readonly string[]
    /** Verbs that make a new one, the first that the visitor may call; without: `create`. */
    readonly add?: readonly string[]
    /** What can be done with several of them at once. */
    readonly bulk?: readonly Bulk[]
    /** The initial values of the form of a new one. */
    begin?(visitor: NonNullable<Look['visitor']>): Readonly<Record<string, string>>
    /** @param given how the list is narrowed */
    actions?(look: Pick<Look<W>, 't' | 'words'>, given: Readonly<Record<string, string>>): readonly Action[]
  }
  /** `special`: a page of its own. Without: the list is its only page. */
  readonly detail?: Detail<z.output<S>, W> | 'special'
  /** Its tabs on pages of other kinds, by kind; below its parent it has one with its list. */
  readonly tabs?: Readonly<Record<string, readonly Tab<Hub, NoInfer<W>>[]>>
  /** Sets of choices that lists in its forms begin with, by field. */
  readonly presets?: Readonly<Record<string, readonly Preset<NoInfer<W>>[]>>
  /** What a field of its forms takes, where other fields decide that; an empty value is none. */
  offers?(field: string, values: Readonly<Record<string, string>>, t: Texts): readonly Offer[] | undefined
  /** How its stores are made; each opens `Stores` by its name. */
  readonly stores?: StoreFactories
  /** Of its own tables, numbered among all migrations of the store. Never edited: a store that has seen one holds its text. */
  readonly migrations?: readonly Migration[]
  /** How plans speak of the rows of its own tables. */
  readonly tables?: Readonly<Record<string, RowWords>>
  /** Its rows, where jobs are about them. */
  readonly row?: JobRow
  /** What about it can need the attention of an operator. */
  readonly conditions?: readonly ConditionSource[]
  /** Removes for good what has been in the trash since before that moment, so many at once where the machine does it. */
  purge?(context: PanelContext, moment: string, atOnce: number): Promise<Purged>
  /**
   * Inputs that work, by verb; references name what an example world has. `existing`: what of `create` is other for the one
   * that is there already. For the API document and the tests of every operation.
   */
  readonly examples?: Readonly<Record<string, Input>>
  readonly operations: Readonly<Record<string, AnyOperation<Context>>>
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds kinds of every item; each reads items by its own schema
export type AnyKind = Kind<string, any, any>

export function defineKind<const N extends string, S extends z.ZodType, W extends KindWords>(
  kind: Kind<N, S, W>,
): Kind<N, S, W> {
  return Object.freeze(kind)
}

/** The words of a kind in the catalogue, which a translation may have replaced. */
export function wordsOf<W extends KindWords>(t: Texts, kind: Pick<Kind<string, z.ZodType, W>, 'name' | 'words'>): W {
  // the catalogue holds what the kind brought, or a translation of the same shape
  return (t.kinds[kind.name] ?? kind.words) as W
}

export function tableOf<S extends z.ZodType, W extends KindWords>(
  kind: Pick<Kind<string, S, W>, 'name' | 'words' | 'columns'>,
  t: Texts,
  items: readonly z.output<S>[],
  about?: string,
): Table {
  const words = wordsOf(t, kind)
  const columns = kind.columns?.({ t, words, about }) ?? []
  return {
    caption: words.many,
    columns: columns.map(({ cell: _, ...column }) => column),
    rows: items.map((item) => columns.map(({ cell }) => cell(item))),
  }
}

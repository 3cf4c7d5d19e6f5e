/** The list of each kind: filter, table, pages by cursor, and the command that lists the same. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { totalText } from '../../lib/list-total.ts'
import type { Command, Empty, Pick, SortLink, Table } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { type KindWords, label, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, tableOf, wordsOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { inputOf } from './form-values.ts'
import { bulkFor, bulkTitle } from './many.ts'
import type { PageKit } from './page-kit.ts'
import { isSavedAsCsv } from './saved-as-csv.ts'

/** Inputs of the list that narrow it, as controls above it; a kind adds its own, and a link may have given more. */
function filtersOf({ list }: AnyKind, given: Readonly<Record<string, string>> = {}): readonly string[] {
  const always = ['search', ...(list?.filters ?? []), 'status', 'state']
  return [...new Set([...always, ...Object.keys(given)])].filter((name) => !notFilters.includes(name))
}

/** They say which part of it is shown, and how. */
const notFilters = ['cursor', 'limit', 'sort', 'deleted', 'total']

/** How many there are in all, from the page where they were counted on. */
const countedOnce = '_total'

/** Marks an address of a list whose rows are all chosen. */
const allChosen = '_all'

type ListQuery = Readonly<Record<string, string | undefined>>

export function listRoutes(app: FastifyInstance, kit: PageKit): void {
  for (const kind of kinds) if (kind.menu !== undefined && kind.columns !== undefined) list(app, kit, kind)
}

function list(app: FastifyInstance, kit: PageKit, kind: AnyKind): void {
  const page = z.object({ items: z.array(kind.item), nextCursor: z.string().nullable(), total: z.int().optional() })
  const { path: action } = kind
  const name = `${kind.name}.list`

  app.get<{ Querystring: ListQuery }>(action, { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const words = wordsOf(t, kind)
    const operation = kit.operation(name)
    const input = inputIn(operation, request.query)
    // once: further pages cost what they show
    const isCounted = fieldNamed(operation.input, 'total') !== undefined && input.cursor === undefined
    const counted = isCounted ? { ...input, total: true } : input
    const { items, nextCursor, total } = page.parse((await kit.run(request, name, counted)).value)

    const inAll = input.cursor === undefined ? total : countIn(request.query)
    const create = makerOf(kit, request, kind)
    const add =
      words.add !== undefined && create !== undefined
        ? { title: words.add, href: `/do/${create}${query(begin(kind, request))}` }
        : null
    const { cursor, ...narrowing } = input
    const bulk = items.length === 0 ? null : bulkOf(kit, request, kind, input)
    const isAll = request.query[allChosen] === 'true'
    const isSorted = fieldNamed(operation.input, 'sort') !== undefined
    const plain = tableOf(kind, t, items)
    const table = isSorted ? { ...plain, sorting: sortingOf(plain, action, narrowing) } : plain
    return kit.send(request, reply, {
      template: 'list',
      title: words.many,
      model: {
        head: {
          title: words.many,
          lede: words.lede,
          actions: [
            ...(kind.list?.actions?.({ t, words }, withoutSize(narrowing)) ?? []),
            ...(add === null ? [] : [{ ...add, main: true, icon: 'add' }]),
          ],
        },
        problem: null,
        filter: filterOf(kit, request, kind, operation.input, narrowing),
        table: bulk === null ? table : { ...table, allPicked: isAll, picks: picksOf(items, table) },
        bulk: bulk && {
          ...bulk,
          back: action + query(input),
          all: {
            title: isAll ? t.many.none : t.many.all,
            href: `${action}${query({ ...input, [allChosen]: !isAll })}#many`,
          },
        },
        empty:
          filtersOf(kind, narrowing).some((one) => narrowing[one]) || narrowing.deleted
            ? nothingFits(t, action)
            : emptyOf(words, add),
        pager: {
          first: cursor ? action + query(narrowing) : null,
          next: nextCursor === null ? null : action + query({ ...narrowing, cursor: nextCursor, [countedOnce]: inAll }),
          total: inAll === undefined ? null : `${totalText(inAll, t.format.number)} ${t.list.inAll}`,
          csv: isSavedAsCsv(kind) ? `${action}.csv${query(withoutSize(narrowing))}` : null,
        },
        command: commandOf(operation, input),
      },
    })
  })
}

/** Past the first page it is in the address: who makes one up deceives nobody else. */
function countIn({ [countedOnce]: said }: ListQuery): number | undefined {
  return said !== undefined && /^\d{1,4}$/.test(said) ? Number(said) : undefined
}

/** The other way round where the list is in the order of a column already. */
function sortingOf({ columns }: Table, action: string, narrowing: ListQuery): (SortLink | null)[] {
  const { sort: now = 'name' } = narrowing
  const link = (first: string, other: string, down: string): SortLink => ({
    href: action + query({ ...narrowing, sort: now === first ? other : first }),
    now: now === first || now === other ? (now === down ? 'descending' : 'ascending') : null,
  })
  return columns.map(({ sorts }) => {
    if (sorts === undefined) return null
    return sorts === 'name' ? link('name', 'name-desc', 'name-desc') : link('newest', 'oldest', 'newest')
  })
}

/** What this visitor may do with several at once; null for nothing. */
function bulkOf(kit: PageKit, request: FastifyRequest, kind: AnyKind, { deleted }: ListQuery): object | null {
  const choices = bulkFor(kit, request, kind, deleted === 'true').map((bulk) => ({
    value: bulk.verb,
    title: bulkTitle(kit.textsOf(request), bulk),
  }))
  return choices.length === 0 ? null : { action: path`/many/${kind.name}`, choices }
}

function picksOf(items: readonly { readonly id: string }[], { rows }: Table): Pick[] {
  return items.map(({ id }, at) => ({ value: id, title: String(rows[at]?.[0]?.text ?? id) }))
}

/** What an address says of the input of a list. */
export function inputIn(operation: AnyOperation, asked: ListQuery): Readonly<Record<string, string>> {
  const names = operation.fields.map(({ name }) => name).filter((name) => name !== 'total')
  return Object.fromEntries(names.flatMap((name) => (asked[name] ? [[name, asked[name]] as const] : [])))
}

function withoutSize({ limit: _, ...narrowing }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return narrowing
}

/** The operation by which this visitor makes a new one. */
export function makerOf(kit: PageKit, request: FastifyRequest, { name, list }: AnyKind): string | undefined {
  return (list?.add ?? ['create']).map((verb) => `${name}.${verb}`).find((one) => kit.may(request, one))
}

/** What was chosen above the list is text; a command line and an API call have values. */
function commandOf(operation: AnyOperation, given: Readonly<Record<string, string>>): Command {
  const input = inputOf(operation, given)
  return { line: toCommandLine(operation, input), call: apiCallText(apiCall(operation, input)) }
}

function begin({ list }: AnyKind, { session }: FastifyRequest): Readonly<Record<string, string>> {
  return session === null ? {} : (list?.begin?.(session.actor) ?? {})
}

function filterOf(
  kit: PageKit,
  request: FastifyRequest,
  kind: AnyKind,
  input: z.ZodObject,
  given: Readonly<Record<string, string>>,
): object | null {
  const t = kit.textsOf(request)
  const takes = (key: string) =>
    fieldNamed(input, key) !== undefined && (key !== 'reseller' || kit.may(request, 'reseller.list'))
  const words: Readonly<Record<string, string>> = { ...t.statuses, ...t.roles, ...t.audit.outcomes }
  const filters = filtersOf(kind, given)
    .filter(takes)
    .map((name) => ({
      name,
      title: label(t, name),
      value: given[name] ?? '',
      open: t.list.any,
      choices: (fieldNamed(input, name)?.choices ?? []).map((word) => ({ value: word, title: words[word] ?? word })),
    }))
  const texts = filters.filter(({ choices }) => choices.length === 0)
  const selects = [...filters.filter(({ choices }) => choices.length > 0), ...orderAndSize(t, input, given)]
  const hasDeleted = takes('deleted')
  const isUsed = filters.some(({ value }) => value !== '') || given.deleted === 'true'
  if (texts.length + selects.length === 0 && !hasDeleted) return null
  return { action: kind.path, texts, selects, hasDeleted, deleted: given.deleted === 'true', isUsed }
}

const sizes = ['25', '100', '200']

/** Left open: by name, fifty at once. */
function orderAndSize(t: Texts, input: z.ZodObject, given: Readonly<Record<string, string>>): object[] {
  const sort = {
    name: 'sort',
    title: label(t, 'sort'),
    value: given.sort ?? '',
    open: t.list.byName,
    choices: [
      { value: 'name-desc', title: t.list.byNameDown },
      { value: 'newest', title: t.list.newest },
      { value: 'oldest', title: t.list.oldest },
    ],
  }
  const limit = {
    name: 'limit',
    title: label(t, 'limit'),
    value: given.limit ?? '',
    open: '50',
    choices: sizes.map((size) => ({ value: size, title: size })),
  }
  return [sort, limit].filter(({ name }) => fieldNamed(input, name) !== undefined)
}

function nothingFits(t: Texts, action: string): Empty {
  return { title: t.list.noMatch, text: t.list.noMatchText, action: { title: t.list.showAll, href: action } }
}

function emptyOf(words: KindWords, add: { title: string; href: string } | null): Empty {
  return { title: words.none ?? '', text: words.noneText ?? '', ...(add !== null && { action: add }) }
}

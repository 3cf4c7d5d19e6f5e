/** The list of each kind: filter, table, pages by cursor, and the command that lists the same. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Command, Empty } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { type KindWords, label, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, tableOf, wordsOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { inputOf } from './form-values.ts'
import type { PageKit } from './page-kit.ts'

/** Inputs of the list that narrow it, as controls above it; a kind adds its own. */
function filtersOf({ list }: AnyKind): readonly string[] {
  return ['search', ...(list?.filters ?? []), 'status', 'state']
}

type ListQuery = Readonly<Record<string, string | undefined>>

export function listRoutes(app: FastifyInstance, kit: PageKit): void {
  for (const kind of kinds) if (kind.menu !== undefined && kind.columns !== undefined) list(app, kit, kind)
}

function list(app: FastifyInstance, kit: PageKit, kind: AnyKind): void {
  const page = z.object({ items: z.array(kind.item), nextCursor: z.string().nullable() })
  const { path: action } = kind
  const name = `${kind.name}.list`

  app.get<{ Querystring: ListQuery }>(action, { config: { access: 'session' } }, async (request, reply) => {
    const { t } = kit
    const words = wordsOf(t, kind)
    const operation = kit.operation(name)
    const keys = ['cursor', 'deleted', ...filtersOf(kind)].filter((key) => fieldNamed(operation.input, key))
    const given = keys.flatMap((key) => (request.query[key] ? [[key, request.query[key]] as const] : []))
    const input = Object.fromEntries(given)
    const { items, nextCursor } = page.parse((await kit.run(request, name, input)).value)

    const create = makerOf(kit, request, kind)
    const add =
      words.add !== undefined && create !== undefined
        ? { title: words.add, href: `/do/${create}${query(begin(kind, request))}` }
        : null
    const { cursor, ...narrowing } = input
    return kit.send(request, reply, {
      template: 'list',
      title: words.many,
      model: {
        head: {
          title: words.many,
          lede: words.lede,
          actions: [
            ...(kind.list?.actions?.({ t, words }, narrowing) ?? []),
            ...(add === null ? [] : [{ ...add, main: true, icon: 'add' }]),
          ],
        },
        problem: null,
        filter: filterOf(kit, request, kind, operation.input, narrowing),
        table: tableOf(kind, t, items),
        empty: Object.keys(narrowing).length > 0 ? nothingFits(t, action) : emptyOf(words, add),
        pager: {
          first: cursor ? action + query(narrowing) : null,
          next: nextCursor === null ? null : action + query({ ...narrowing, cursor: nextCursor }),
        },
        command: commandOf(operation, input),
      },
    })
  })
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
  const { t } = kit
  const takes = (key: string) =>
    fieldNamed(input, key) !== undefined && (key !== 'reseller' || kit.may(request, 'reseller.list'))
  const words: Readonly<Record<string, string>> = { ...t.statuses, ...t.roles, ...t.audit.outcomes }
  const filters = filtersOf(kind)
    .filter(takes)
    .map((name) => ({
      name,
      title: label(t, name),
      value: given[name] ?? '',
      choices: (fieldNamed(input, name)?.choices ?? []).map((word) => ({ value: word, title: words[word] ?? word })),
    }))
  const texts = filters.filter(({ choices }) => choices.length === 0)
  const selects = filters.filter(({ choices }) => choices.length > 0)
  const hasDeleted = takes('deleted')
  if (texts.length + selects.length === 0 && !hasDeleted) return null
  return { action: kind.path, texts, selects, hasDeleted, deleted: given.deleted === 'true' }
}

function nothingFits(t: Texts, action: string): Empty {
  return { title: t.list.noMatch, text: t.list.noMatchText, action: { title: t.list.showAll, href: action } }
}

function emptyOf(words: KindWords, add: { title: string; href: string } | null): Empty {
  return { title: words.none ?? '', text: words.noneText ?? '', ...(add !== null && { action: add }) }
}

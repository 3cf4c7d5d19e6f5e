/** `/search?q=`: one field for all that has a name, jobs by their id, and the forms; a lone hit is gone to at once. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding } from '../../contract/operation.ts'
import { Id } from '../../contract/values.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Cell, Section } from '../../lib/page-model.ts'
import { path } from '../../lib/safe-url.ts'
import { deed, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, tableOf, wordsOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import type { PageKit } from './page-kit.ts'

interface Hits {
  readonly section: Section
  /** Page of each. */
  readonly pages: readonly string[]
}

const mostOfAKind = 8

export function searchRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get<{ Querystring: { q?: string } }>('/search', { config: { access: 'session' } }, async (request, reply) => {
    const words = typeof request.query.q === 'string' ? request.query.q.trim().slice(0, 100) : ''
    const hits = words === '' ? [] : await found(kit, request, words)
    const [first, ...others] = hits.flatMap(({ pages }) => pages)
    if (first !== undefined && others.length === 0) return reply.redirect(first, 303)
    return resultPage(kit, request, reply, words, hits)
  })
}

async function found(kit: PageKit, request: FastifyRequest, words: string): Promise<Hits[]> {
  const job = Id.safeParse(words.toLowerCase()).data
  if (job !== undefined && kit.may(request, 'job.get')) return [jobHit(kit.textsOf(request), job)]
  const things = await Promise.all(kinds.map((kind) => thingsOf(kit, request, kind, words)))
  return [...things, formsOf(kit, request, words)].filter(({ pages }) => pages.length > 0)
}

function jobHit(t: Texts, job: string): Hits {
  return { section: { title: t.kinds.job?.many ?? '' }, pages: [path`/jobs/${job}`] }
}

async function thingsOf(kit: PageKit, request: FastifyRequest, kind: AnyKind, search: string): Promise<Hits> {
  const t = kit.textsOf(request)
  const title = wordsOf(t, kind).many
  const name = `${kind.name}.list`
  const none = { section: { title }, pages: [] }
  if (kind.detail === undefined || kind.item === undefined || !kit.may(request, name)) return none
  const { input } = kit.operation(name)
  if (fieldNamed(input, 'search') === undefined) return none
  const page = z.object({ items: z.array(kind.item) })
  // what is found by the name of something else is told by that
  const own = fieldNamed(input, 'named') === undefined ? {} : { named: true }
  const { value } = await kit.run(request, name, { search, limit: mostOfAKind, ...own })
  const table = tableOf(kind, t, page.parse(value).items)
  return { section: { title, table }, pages: table.rows.flatMap(([cell]) => cell?.href ?? []) }
}

/** Forms that begin with nothing given, by all of the words in any order. */
function formsOf(kit: PageKit, request: FastifyRequest, words: string): Hits {
  const t = kit.textsOf(request)
  const wanted = words.toLowerCase().split(/\s+/)
  const isMeant = (operation: AnyOperation) =>
    operation.effect !== 'read' &&
    httpBinding(operation).pathKeys.length === 0 &&
    kit.may(request, operation.name) &&
    wanted.every((word) => `${deed(t, operation.name)} ${operation.name}`.toLowerCase().includes(word))
  const cells = kit.deps.operations.filter(isMeant).map(({ name }): Cell & { readonly href: string } => ({
    text: deed(t, name),
    href: path`/do/${name}`,
  }))
  const title = t.search.forms
  const table = { caption: title, columns: [{ title }], rows: cells.map((cell) => [cell]) }
  return { section: { title, table }, pages: cells.map(({ href }) => href) }
}

function resultPage(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  words: string,
  hits: readonly Hits[],
): FastifyReply {
  const t = kit.textsOf(request)
  const title = words === '' ? t.search.title : `${t.search.titleOf} “${words}”`
  const none = {
    title: t.search.none,
    table: { caption: t.search.none, columns: [], rows: [] },
    empty: t.search.noneText,
  }
  const list = kit.operation('domain.list')
  const input = words === '' ? {} : { search: words }
  return kit.send(request, reply, {
    template: 'detail',
    title,
    model: {
      head: { title, lede: t.search.lede },
      sections: hits.length > 0 ? hits.map(({ section }) => section) : [none],
      command: { line: toCommandLine(list, input), call: apiCallText(apiCall(list, input)) },
    },
  })
}

/** Files of a site: a directory, a file, and its bytes. The first of them is a tab of the site's page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { splitPath } from '../../contract/file-path.ts'
import { FileTrash } from '../../contract/file-wire.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Action, Head, Section } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import type { Texts } from '../../lib/texts.ts'
import { domain } from '../../resources/domain/kind.ts'
import { file } from '../../resources/file/kind.ts'
import { SiteFile, SiteFileWithText } from '../../resources/file/schema.ts'
import { addressOf, fileTable } from '../../resources/file/table.ts'
import { wordsOf } from '../../resources/kind.ts'
import { sendBytes } from '../http/bytes-body.ts'
import { limits } from '../http/limits.ts'
import { apiCall, apiCallText } from './api-call.ts'
import type { PageKit } from './page-kit.ts'

const Page = z.object({ items: z.array(SiteFile), nextCursor: z.string().nullable(), total: z.int().exactOptional() })
const atOnce = 200

export interface FilePage {
  Params: { ref: string }
  Querystring: { path?: string; after?: string }
}

/** What one of these pages is about. */
interface Subject {
  readonly ref: string
  readonly place: string
}

export function fileRoutes(app: FastifyInstance, kit: PageKit): void {
  const access = { config: { access: 'session' } } as const
  app.get<FilePage>('/domains/:ref/files/in', access, async (request, reply) => {
    const t = kit.textsOf(request)
    const words = wordsOf(t, file)
    const { ref, place } = subjectOf(request)
    const { after } = request.query
    const input = { domain: ref, path: place, limit: atOnce, ...(after && { cursor: after }) }
    const { items, nextCursor, total } = Page.parse((await kit.run(request, 'file.list', input)).value)
    const all = total ?? items.length
    const here = path`/domains/${ref}/files/in`
    const back = here + query({ path: place })
    const more = nextCursor === null ? null : here + query({ path: place, after: nextCursor })
    return show(kit, request, reply, { ref, place }, 'file.list', {
      actions: [
        ...(after ? [{ title: words.first, href: here + query({ path: place }) }] : []),
        ...(more === null ? [] : [{ title: words.more, href: more }]),
        ...formsFor(kit, request, { ref, place }, back, [
          ['file.add', words.newFile, place === '' ? '' : `${place}/`],
          ['file.upload', words.upload, place],
          ['file.mkdir', words.newDirectory, place === '' ? '' : `${place}/`],
          ...(place === '' ? [] : changesOf(words, place)),
        ]),
        ...(place === '' ? [{ title: words.trash, href: path`/domains/${ref}/files/trash` }] : []),
      ],
      sections: [
        {
          title: `${all} ${all === 1 ? words.entry : words.entries}`,
          table: fileTable(t, ref, items, words),
          empty: `${words.none}.`,
        },
      ],
    })
  })

  app.get<FilePage>('/domains/:ref/files/file', access, async (request, reply) => {
    const t = kit.textsOf(request)
    const words = wordsOf(t, file)
    const { ref, place } = subjectOf(request)
    const { value } = await kit.run(request, 'file.get', { domain: ref, path: place })
    const { text, ...one } = SiteFileWithText.parse(value)
    if (one.kind === 'directory') return reply.redirect(addressOf(ref, one), 303)
    const href = path`/domains/${ref}/files/download` + query({ path: place })
    return show(kit, request, reply, { ref, place }, 'file.get', {
      actions: [
        ...(one.kind === 'file' ? [{ title: words.download, href, main: true }] : []),
        ...formsFor(
          kit,
          request,
          { ref, place },
          path`/domains/${ref}/files/in` + query({ path: splitPath(place).parent }),
          [...(text === null ? [] : ([['file.update', words.edit, place]] as const)), ...changesOf(words, place)],
        ),
      ],
      sections: [
        { title: words.text, ...(text === null || text === '' ? {} : { text }), empty: words.noText },
        {
          title: words.about,
          isAside: true,
          facts: [
            { title: words.fields.kind, text: words.kinds[one.kind] },
            ...(one.target === null ? [] : [{ title: words.fields.target, code: one.target }]),
            { title: words.fields.size, text: t.format.bytes(one.size) },
            { title: words.fields.mode, code: one.mode },
            { title: words.fields.modifiedAt, time: one.modifiedAt },
          ],
        },
      ],
    })
  })

  app.get<FilePage>('/domains/:ref/files/trash', access, async (request, reply) => {
    const words = wordsOf(kit.textsOf(request), file)
    const { ref } = subjectOf(request)
    const { value } = await kit.run(request, 'file.trash', { domain: ref })
    const { items } = z.object({ items: FileTrash }).parse(value)
    const back = path`/domains/${ref}/files/trash`
    const bringBack = (name: string) => ({
      text: words.bringBack,
      href: path`/do/file.restore` + query({ domain: ref, name, _back: back }),
    })
    return show(kit, request, reply, { ref, place: '' }, 'file.trash', {
      title: words.trash,
      actions: [],
      sections: [
        {
          title: words.trash,
          table: {
            caption: words.trash,
            columns: [{ title: words.fields.path }, { title: words.deleted }, { title: words.bringBack, hidden: true }],
            rows: items.map((one) => [{ text: one.path }, { time: one.deletedAt }, bringBack(one.name)]),
          },
          empty: `${words.trashEmpty}.`,
        },
      ],
    })
  })

  app.get<FilePage>(
    '/domains/:ref/files/download',
    { ...access, handlerTimeout: limits.bytesTimeout },
    async (request, reply) => {
      const { ref, place } = subjectOf(request)
      return sendBytes(reply, (await kit.run(request, 'file.download', { domain: ref, path: place })).value)
    },
  )
}

export function subjectOf({ params, query }: FastifyRequest<FilePage>): Subject {
  return { ref: params.ref, place: query.path ?? '' }
}

type Words = typeof file.words

/** Operation, title, and the path with which its form begins. */
type FormLink = readonly [name: string, title: string, place: string]

function changesOf(words: Words, place: string): FormLink[] {
  return [
    ['file.move', words.moveIt, place],
    ['file.discard', words.deleteIt, place],
  ]
}

function formsFor(
  kit: PageKit,
  request: FastifyRequest,
  { ref }: Subject,
  back: string,
  forms: readonly FormLink[],
): Action[] {
  return forms
    .filter(([name]) => kit.may(request, name))
    .map(([name, title, place]) => ({
      title,
      href:
        name === 'file.upload'
          ? path`/domains/${ref}/files/upload` + query({ path: place })
          : path`/do/${name}` + query({ domain: ref, path: place, _back: back }),
      ...(name === 'file.discard' && { danger: true }),
    }))
}

interface Shown {
  readonly title?: string
  readonly actions: readonly Action[]
  readonly sections: readonly Section[]
}

function show(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  { ref, place }: Subject,
  name: string,
  { actions, sections, ...given }: Shown,
): FastifyReply {
  const t = kit.textsOf(request)
  const operation = kit.operation(name)
  const input = { domain: ref, ...(place !== '' && { path: place }) }
  const title = given.title ?? (place === '' ? wordsOf(t, file).root : splitPath(place).name)
  return kit.send(request, reply, {
    template: 'detail',
    title,
    model: {
      head: { title, crumbs: crumbsTo(t, ref, place), actions },
      tabs: [],
      sections,
      command: { line: toCommandLine(operation, input), call: apiCallText(apiCall(operation, input)) },
    },
  })
}

/** Domains / shop.example.com / Files / wp-content. */
export function crumbsTo(t: Texts, ref: string, place: string): Head['crumbs'] {
  const { parent } = splitPath(place)
  const above = parent === '' ? [] : parent.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'))
  return [
    { title: wordsOf(t, domain).many, href: domain.path },
    { title: shownHost(ref), href: path`/domains/${ref}` },
    { title: wordsOf(t, file).many, href: path`/domains/${ref}/files` },
    ...above.map((one) => ({
      title: splitPath(one).name,
      href: path`/domains/${ref}/files/in` + query({ path: one }),
    })),
  ]
}

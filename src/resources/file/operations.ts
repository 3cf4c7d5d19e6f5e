/** Files of sites, below the directory that the web server serves. All of it is done by a process of the tenant's. */
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { below, FileName, FilePath, splitPath } from '../../contract/file-path.ts'
import { FileEntry, FileList, FileTrash, Tag, TrashName } from '../../contract/file-wire.ts'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { asRead, manyLines } from '../../lib/field-formats.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { conflict } from '../refusals.ts'
import { scopeOf } from '../visibility.ts'
import type { FileSite } from './access.ts'
import { mostText, SiteFile, SiteFileWithText } from './schema.ts'
import { allOf, textOf } from './text.ts'

const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain whose files they are, by id or name')
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const
const file = () => place('Path of the file')

export const list = defineOperation({
  name: 'file.list',
  summary: 'List the files of a site',
  description:
    'One directory, in the order of the bytes of its names. Bytes that are no plain text are written as %XX, and "%" as %25; links are shown and never followed.',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/files',
  positional: ['domain', 'path'],
  columns: ['name', 'kind', 'size', 'mode', 'modifiedAt'],
  input: () =>
    z.strictObject({
      domain: DomainRef,
      path: FilePath.default('').describe('Directory below that of the site'),
      limit: listInput.limit,
      cursor: FileName.optional().describe('Continue after the page whose nextCursor this is'),
    }),
  output: () => pageOf(SiteFile),
  async run(context, { domain, path, limit, cursor }) {
    const site = await siteOf(context, domain)
    const ask = { do: 'list', path, after: cursor ?? null, limit } as const
    const { entries, hasMore, total } = await context.machine.files.ask(site, ask, FileList)
    const nextCursor = hasMore ? (entries.at(-1)?.name ?? null) : null
    return { items: entries.map((entry) => ({ path: below(path, entry.name), ...entry })), nextCursor, total }
  },
})

export const get = defineOperation({
  name: 'file.get',
  summary: 'Show a file of a site, and its text',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/files/entry',
  positional: ['domain', 'path'],
  input: () => z.strictObject({ domain: DomainRef, path: file() }),
  output: () => SiteFileWithText,
  async run(context, { domain, path }) {
    const site = await siteOf(context, domain)
    const { files } = context.machine
    const entry = await files.ask(site, { do: 'show', path }, FileEntry)
    if (entry.kind !== 'file' || entry.size > mostText) return { path, ...entry, text: null }
    const opened = await files.read(site, path)
    if (opened.entry.size > mostText) {
      opened.bytes.destroy()
      return { path, ...opened.entry, text: null }
    }
    return { path, ...opened.entry, text: textOf(await allOf(opened.bytes)) }
  },
})

export const download = defineOperation({
  name: 'file.download',
  summary: 'Get the bytes of a file of a site',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/files/content',
  positional: ['domain', 'path'],
  bytes: 'answer',
  input: () => z.strictObject({ domain: DomainRef, path: file() }),
  output: () => z.strictObject({ name: z.string(), size: z.int(), tag: z.string(), bytes: z.custom<Readable>() }),
  async run(context, { domain, path }) {
    const { entry, bytes } = await context.machine.files.read(await siteOf(context, domain), path)
    return { name: splitPath(path).name, size: entry.size, tag: entry.tag, bytes }
  },
})

const changing = { effect: 'write', policy, isOutside: true } as const
const Changed = z.strictObject({ path: FilePath })

export const add = defineOperation({
  name: 'file.add',
  summary: 'Make a text file of a site',
  description: 'Nothing is replaced.',
  ...changing,
  http: 'POST /domains/{domain}/files',
  positional: ['domain', 'path', 'text'],
  unrecorded: ['text'],
  input: () => z.strictObject({ domain: DomainRef, path: file(), text: fileText() }),
  output: () => Changed,
  async run(context, { domain, path, text }) {
    await context.machine.files.write(await siteOf(context, domain), path, 'nothing', piecesOf(text))
    return { path }
  },
})

export const update = defineOperation({
  name: 'file.update',
  summary: 'Change the text of a file of a site',
  description: 'What was changed meanwhile is not overwritten: it has another tag than "file.get" showed.',
  ...changing,
  http: 'PATCH /domains/{domain}/files/entry',
  positional: ['domain', 'path', 'tag', 'text'],
  unrecorded: ['text'],
  input: () =>
    z.strictObject({
      domain: DomainRef,
      path: file(),
      text: fileText(),
      tag: Tag.meta({ format: asRead }).describe('Of the file as it was read, from "file.get"'),
    }),
  output: () => Changed,
  async run(context, { domain, path, text, tag }) {
    await context.machine.files.write(await siteOf(context, domain), path, { tag }, piecesOf(text))
    return { path }
  },
})

export const upload = defineOperation({
  name: 'file.upload',
  summary: 'Put a file onto a site, whatever is in it',
  description:
    'Its bytes are the body of the call, and the standard input of the command. Nothing is replaced, unless it is asked for.',
  ...changing,
  http: 'PUT /domains/{domain}/files/content',
  positional: ['domain', 'path'],
  bytes: 'body',
  input: () =>
    z.strictObject({
      domain: DomainRef,
      path: file(),
      replace: z.boolean().default(false).describe('Take the place of the file that is there'),
    }),
  output: () => Changed,
  async run(context, { domain, path, replace }) {
    const site = await siteOf(context, domain)
    if (context.body === null) throw noBytes()
    await context.machine.files.write(site, path, replace ? 'anything' : 'nothing', context.body)
    return { path }
  },
})

export const mkdir = defineOperation({
  name: 'file.mkdir',
  summary: 'Make a directory of a site',
  ...changing,
  http: 'POST /domains/{domain}/files/directories',
  positional: ['domain', 'path'],
  input: () => z.strictObject({ domain: DomainRef, path: place('Path of the directory') }),
  output: () => Changed,
  async run(context, { domain, path }) {
    await context.machine.files.change(await siteOf(context, domain), { do: 'make-directory', path })
    return { path }
  },
})

export const move = defineOperation({
  name: 'file.move',
  summary: 'Move or rename a file or directory of a site',
  description: 'Nothing is replaced.',
  ...changing,
  http: 'POST /domains/{domain}/files/move',
  positional: ['domain', 'path', 'to'],
  input: () =>
    z.strictObject({ domain: DomainRef, path: place('What is moved'), to: place('Path that it gets, with its name') }),
  output: () => Changed,
  async run(context, { domain, path, to }) {
    await context.machine.files.change(await siteOf(context, domain), { do: 'move', path, to })
    return { path: to }
  },
})

export const discard = defineOperation({
  name: 'file.discard',
  summary: 'Move a file or directory of a site to its trash',
  description: 'It stays there for 30 days, on the disk space of its tenant.',
  ...changing,
  http: 'DELETE /domains/{domain}/files',
  positional: ['domain', 'path'],
  confirm: 'Move it to the trash?',
  input: () => z.strictObject({ domain: DomainRef, path: place('What is deleted') }),
  output: () => Changed,
  async run(context, { domain, path }) {
    await context.machine.files.change(await siteOf(context, domain), { do: 'trash', path })
    return { path }
  },
})

export const trash = defineOperation({
  name: 'file.trash',
  summary: 'List what was deleted of the files of a site',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/files/trash',
  positional: ['domain'],
  columns: ['name', 'path', 'deletedAt'],
  input: () => z.strictObject({ domain: DomainRef }),
  output: () => z.strictObject({ items: FileTrash, nextCursor: z.null() }),
  async run(context, { domain }) {
    const site = await siteOf(context, domain)
    return { items: await context.machine.files.ask(site, { do: 'list-trash' }, FileTrash), nextCursor: null }
  },
})

export const restore = defineOperation({
  name: 'file.restore',
  summary: 'Bring a file or directory of a site back from its trash',
  description: 'To where it was. Nothing is replaced.',
  ...changing,
  http: 'POST /domains/{domain}/files/restore',
  positional: ['domain', 'name'],
  input: () => z.strictObject({ domain: DomainRef, name: TrashName.describe('Its name in the trash') }),
  output: () => z.strictObject({ name: TrashName }),
  async run(context, { domain, name }) {
    await context.machine.files.change(await siteOf(context, domain), { do: 'restore', name })
    return { name }
  },
})

/** Of a form or a page's terminal, which have none to give. */
function noBytes(): WcpError {
  return new WcpError('bad_input', 'Cannot put a file onto the site: its bytes are missing', {
    help: 'Use the page of its directory, or "wcp file upload DOMAIN PATH < FILE".',
  })
}

function fileText() {
  return z
    .string({ error: 'a text' })
    .refine((text) => Buffer.byteLength(text) <= mostText, { error: `at most ${mostText} bytes` })
    .refine((text) => text.isWellFormed(), { error: 'a text without halves of characters' })
    .meta({ format: manyLines })
    .describe('What the file says')
}

function place(what: string) {
  return FilePath.min(1, { error: 'a path below the directory of the site' }).describe(what)
}

async function* piecesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

/** Of a site that is served: a suspended one is shown to nobody, its files neither. */
async function siteOf(context: Context, ref: string): Promise<FileSite> {
  const { id, fqdn, status, tenantId, tenantStatus } = await context.domains.get(ref, { scope: scopeOf(context.actor) })
  const isServed = status === 'active' && served.includes(tenantStatus)
  if (!isServed)
    conflict(
      `open the files of domain "${fqdn}"`,
      status === 'active' ? `its tenant is ${tenantStatus}` : `it is ${status}`,
      'They can be reached while the site is served.',
    )
  return { tenant: tenantId, domain: id }
}

const served: readonly string[] = ['active', 'locked']

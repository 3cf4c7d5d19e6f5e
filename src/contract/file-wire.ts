/**
 * What the panel and a file worker say to each other. The worker is a process of the tenant: whatever it answers is data of the
 * tenant's, which is parsed, bounded and escaped like everything that a stranger sends.
 */
import { z } from 'zod'
import { FileName, FilePath } from './file-path.ts'
import { Line } from './values.ts'

/** Both sides are of one version: the worker is started from the program that the agent runs. */
export const fileWireVersion = 1

export const mostListed = 500

export const FileKind = z.enum(['file', 'directory', 'link', 'other'])

export const Tag = z.string().regex(/^[0-9a-f-]{1,80}$/, { error: 'the tag of a file, as file.get shows it' })

/** A thing as its directory shows it. Links are told and never followed. */
export const FileEntry = z.strictObject({
  name: FileName,
  kind: FileKind,
  /** Bytes. */
  size: z.int().min(0),
  /** Permission bits as chmod takes them, in octal. */
  mode: z.string().regex(/^[0-7]{3,4}$/),
  modifiedAt: z.iso.datetime(),
  /** Changes whenever the thing is changed or replaced. */
  tag: Tag,
  /** Where a link leads, its odd bytes as %XX, cut where it is long; of links only. */
  target: z.string().max(1000).nullable(),
})
export type FileEntry = z.infer<typeof FileEntry>

const path = FilePath

/** What may be replaced: nothing, the file that had this tag, or whatever file is there. */
export const Over = z.union([z.enum(['nothing', 'anything']), z.strictObject({ tag: Tag })])
export type Over = z.infer<typeof Over>

/** Of one thing in the trash: the moment, so that names are in its order, and chance. */
export const TrashName = z.string().regex(/^[0-9]{13}-[0-9a-f]{8}$/, { error: 'the name of something in the trash' })
export type TrashName = z.infer<typeof TrashName>

export const FileRequest = z.discriminatedUnion('do', [
  /** In the order of their bytes. @see FileList */
  z.strictObject({
    do: z.literal('list'),
    path,
    after: FileName.nullable(),
    limit: z.int().min(1).max(mostListed),
  }),
  /** Answered with a `FileEntry`. */
  z.strictObject({ do: z.literal('show'), path }),
  /** Answered with a `FileEntry`, and then its bytes. */
  z.strictObject({ do: z.literal('read'), path }),
  /**
   * Followed by the bytes. The file is there whole or not at all, with the permissions of the one that it replaces. Answered with a
   * `FileEntry`.
   */
  z.strictObject({ do: z.literal('write'), path, over: Over }),
  z.strictObject({ do: z.literal('make-directory'), path }),
  /** Nothing is replaced. */
  z.strictObject({ do: z.literal('move'), path, to: FilePath }),
  /** Answered with a `TrashName`. */
  z.strictObject({ do: z.literal('trash'), path }),
  /** Answered with a `FileTrash`, the newest first. */
  z.strictObject({ do: z.literal('list-trash') }),
  /** To where it was; nothing is replaced. Answered with a `FileEntry`. */
  z.strictObject({ do: z.literal('restore'), name: TrashName }),
])
export type FileRequest = z.infer<typeof FileRequest>

export const FileList = z.strictObject({
  entries: z.array(FileEntry).max(mostListed),
  /** Whether there are more after these. */
  hasMore: z.boolean(),
  /** Entries of the whole directory. */
  total: z.int().min(0),
})
export type FileList = z.infer<typeof FileList>

export const mostInTrash = 1000

export const FileTrash = z
  .array(z.strictObject({ name: TrashName, path: FilePath, deletedAt: z.iso.datetime() }))
  .max(mostInTrash)
export type FileTrash = z.infer<typeof FileTrash>

export const FileFailure = z.strictObject({
  code: z.enum(['bad_input', 'not_found', 'conflict', 'forbidden', 'precondition_failed', 'too_large', 'unavailable']),
  /** "Cannot …". */
  message: Line.max(500),
})
export type FileFailure = z.infer<typeof FileFailure>

/** First word of a worker. */
export const FileHello = z.strictObject({ hello: z.literal(fileWireVersion) })

/** Each request has one, and where bytes follow a second one may tell that they broke off. */
export const FileAnswer = z.union([z.strictObject({ value: z.unknown() }), z.strictObject({ failure: FileFailure })])
export type FileAnswer = z.infer<typeof FileAnswer>

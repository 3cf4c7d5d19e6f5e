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
  tag: z.string().regex(/^[0-9a-f-]{1,80}$/),
  /** Where a link leads, its odd bytes as %XX, cut where it is long; of links only. */
  target: z.string().max(1000).nullable(),
})
export type FileEntry = z.infer<typeof FileEntry>

const path = FilePath

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

/** The files of sites as operations reach them: through a process of the tenant's, never on the panel's own. */
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { FileEntry, FileRequest, Over } from '../../contract/file-wire.ts'
import type { Id } from '../../contract/values.ts'

export interface FileSite {
  readonly tenant: Id
  readonly domain: Id
}

export interface OpenedFile {
  readonly entry: FileEntry
  /** As many as the entry says, or it breaks off with an error. Whoever does not read it to its end destroys it. */
  readonly bytes: Readable
}

/** What changes something without bytes. */
export type FileChange = Extract<FileRequest, { do: 'make-directory' | 'move' | 'trash' | 'restore' }>

/** Throws what the worker says, or `unavailable`. */
export interface FileAccess {
  ask<S extends z.ZodType>(site: FileSite, request: FileRequest, answer: S): Promise<z.output<S>>
  read(site: FileSite, path: string): Promise<OpenedFile>
  change(site: FileSite, request: FileChange): Promise<void>
  /** The whole file, or nothing of it. */
  write(site: FileSite, path: string, over: Over, bytes: AsyncIterable<Buffer>): Promise<void>
}

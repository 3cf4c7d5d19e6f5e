/** The files of sites as operations reach them: through a process of the tenant's, never on the panel's own. */
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { FileEntry, FileRequest } from '../../contract/file-wire.ts'
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

/** Throws what the worker says, or `unavailable`. */
export interface FileAccess {
  ask<S extends z.ZodType>(site: FileSite, request: FileRequest, answer: S): Promise<z.output<S>>
  read(site: FileSite, path: string): Promise<OpenedFile>
}

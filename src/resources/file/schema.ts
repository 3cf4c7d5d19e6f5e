import { z } from 'zod'
import { FilePath } from '../../contract/file-path.ts'
import { FileEntry } from '../../contract/file-wire.ts'

/** A file, directory or link of a site. */
export const SiteFile = z.strictObject({
  /** From the site's directory on. */
  path: FilePath,
  ...FileEntry.shape,
})
export type SiteFile = z.infer<typeof SiteFile>

/** As much text as forms and answers of the API carry. */
export const mostText = 48 * 1024

export const SiteFileWithText = z.strictObject({
  ...SiteFile.shape,
  /** What it says; null where it is no text or a longer one: "file.download" has it. */
  text: z.string().nullable(),
})
export type SiteFileWithText = z.infer<typeof SiteFileWithText>

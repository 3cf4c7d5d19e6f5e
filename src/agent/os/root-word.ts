import { readFileSync, statSync } from 'node:fs'
import type { z } from 'zod'
import type { Log } from '../log.ts'

/**
 * A file that root wrote for the agent; undefined when there is none, and ignored unless only root could have
 * written or read it (B14).
 */
export function rootWord<S extends z.ZodType>(path: string, schema: S, log: Log): z.output<S> | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (!found.isFile() || found.uid !== 0 || (found.mode & 0o077) !== 0 || found.size > 4096) {
    log.error({ path }, 'file does not belong to root alone and is ignored')
    return undefined
  }
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    log.error({ path, err: error }, 'file of root cannot be read and is ignored')
    return undefined
  }
}

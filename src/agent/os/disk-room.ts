/** Whether the file systems that a job writes to have room left, asked before anything is begun. */
import { statfsSync } from 'node:fs'
import { WcpError } from '../../contract/errors.ts'
import type { Layout } from './layout.ts'

const leastBytes = 16 * 1024 * 1024
const leastInodes = 200

/** The first place that lacks room, as a refusal; root's reserve of a file system counts as room, as root may use it. */
export function lackOfRoom(places: Layout): WcpError | undefined {
  const roots = [places.agentState, places.web.root, places.customers.root, places.userdb, places.logs, places.run]
  for (const path of roots) {
    const what = lacking(path)
    if (what === undefined) continue
    return new WcpError('unavailable', `Cannot begin: the file system of "${path}" has no ${what} left`, {
      help: 'Make room there and send the request again; nothing was changed, and deletions are still accepted.',
    })
  }
  return undefined
}

/** A file system without a fixed number of inodes tells 0 of 0 (statfs(2)). */
function lacking(path: string): 'bytes' | 'inodes' | undefined {
  const { bsize, bfree, files, ffree } = statfsSync(path)
  if (bsize * bfree < leastBytes) return 'bytes'
  return files > 0 && ffree < leastInodes ? 'inodes' : undefined
}

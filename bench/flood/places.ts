/** How much lies in the places of docs/bounds.md whose growth a tenant or a visitor decides. */
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from '../server.ts'

export interface Place {
  readonly name: string
  /** The most MB that one attack may add. */
  readonly mostMb: number
  bytes(server: Server): number
}

export const places: readonly Place[] = [
  { name: 'logs', mostMb: 64, bytes: ({ places }) => bytesBelow(places.logs) },
  { name: "nginx's own logs", mostMb: 1, bytes: ({ places }) => bytesBelow(join(places.root, 'var/log'), ['wcp360']) },
  { name: "nginx's temporary files", mostMb: 600, bytes: (server) => bytesWithoutName(server.webWorkers()) },
  { name: "root's state", mostMb: 8, bytes: ({ places }) => bytesBelow(places.agentState) },
  { name: "the panel's state", mostMb: 8, bytes: ({ places }) => bytesBelow(places.panelState) },
  { name: 'trash', mostMb: 1, bytes: ({ places }) => bytesBelow(places.customers.trash) },
]

function bytesBelow(directory: string, except: readonly string[] = []): number {
  const entries = statSync(directory, { throwIfNoEntry: false }) ? readdirSync(directory, { withFileTypes: true }) : []
  return entries
    .filter(({ name }) => !except.includes(name))
    .map((entry) => {
      const path = join(directory, entry.name)
      return entry.isDirectory() ? bytesBelow(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0)
    })
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** nginx unlinks its temporary files as soon as they are open, so only its descriptors lead to them. */
function bytesWithoutName(pids: readonly number[]): number {
  const held = new Map<string, number>()
  for (const pid of pids) {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const path = `/proc/${pid}/fd/${fd}`
        if (!readlinkSync(path).endsWith(' (deleted)')) continue
        const { dev, ino, size } = statSync(path)
        held.set(`${dev} ${ino}`, size)
      } catch {
        // closed meanwhile
      }
    }
  }
  return [...held.values()].reduce((sum, size) => sum + size, 0)
}

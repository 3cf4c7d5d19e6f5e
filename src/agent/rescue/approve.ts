/** Root's word to the blast brake: a file in the agent's own directory, which nothing that the panel says can reach. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Approval, RescueReport, RescueRequest } from '../../contract/rescue.ts'
import { createFiles } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'

type Request = Extract<RescueRequest, { do: 'approve' }>

/** A later word about the same kind replaces an earlier one. */
export async function approve(places: Layout, { kind, count, minutes }: Request): Promise<RescueReport> {
  const now = Date.now()
  const until = new Date(now + minutes * 60_000).toISOString()
  const approval: Approval = { id: randomUUID(), kind, count, from: new Date(now).toISOString(), until }
  const files = createFiles({ root: places.root, owner: 0 })
  await files.makeDirectory(places.approvals, { mode: 0o700, uid: 0, gid: 0 })
  const own = { mode: 0o600, uid: 0, gid: 0 }
  await files.writeFile(join(places.approvals, `${kind}.json`), `${JSON.stringify(approval)}\n`, own)
  return {
    did: [`From now on ${count} more ${kind} are accepted, until ${until}.`],
    next: ['What waits goes on within half a minute; "wcp status" shows what is left.'],
  }
}

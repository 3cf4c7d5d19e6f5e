/**
 * SSH sessions: `wcpd-session` leaves a record of each in a directory of root's, named like the session's scope. It is open
 * while systemd has the scope. A record stays until the panel has written of it, or newer ones take its place.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { Id, TenantName } from '../../contract/values.ts'
import { exec } from './exec.ts'
import type { Layout } from './layout.ts'

export interface SessionRecord {
  readonly id: Id
  readonly tenant: TenantName
  readonly at: Date
  readonly from: string | null
  /** Type and body. */
  readonly key: string
  readonly isOpen: boolean
}

const record = /^([a-z0-9]{1,40})\n(\d{1,12})\n([0-9a-f.:]{2,45}|-)\n([\w@.-]{1,60} [\w+/=]{1,4000}|-)\n$/

/** The oldest first. */
export function sessionRecords(places: Layout): readonly SessionRecord[] {
  if (!existsSync(places.sessionsRun)) return []
  const found = readdirSync(places.sessionsRun).flatMap((name) => readRecord(places, name) ?? [])
  return found.toSorted((one, other) => one.at.getTime() - other.at.getTime() || (one.id < other.id ? -1 : 1))
}

export function forgetSession(places: Layout, id: Id): void {
  rmSync(join(places.sessionsRun, id), { force: true })
}

/** Ends all that runs in it; one that is over stays so. */
export async function endSessions(ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return
  const scopes = ids.map((id) => `wcp-ssh-${id}.scope`)
  const { code, stderr } = await exec('/usr/bin/systemctl', ['stop', '--', ...scopes], { timeoutMs: 120_000 })
  // a unit that is not loaded is as good as stopped: exit code 5
  if (code !== 0 && code !== 5)
    throw new WcpError('machine_failed', 'Cannot end SSH sessions', { cause: new Error(stderr) })
}

function readRecord(places: Layout, name: string): SessionRecord | undefined {
  const id = Id.safeParse(name)
  const parts = id.success ? record.exec(readText(join(places.sessionsRun, name))) : null
  const tenant = TenantName.safeParse(parts?.[1])
  if (!id.success || !tenant.success || parts === null) return undefined
  const [, , seconds = '', from = '-', key = ''] = parts
  const scope = `/sys/fs/cgroup/wcp.slice/wcp-${tenant.data}.slice/wcp-ssh-${id.data}.scope`
  return {
    id: id.data,
    tenant: tenant.data,
    at: new Date(Number(seconds) * 1000),
    from: from === '-' ? null : from,
    key,
    isOpen: existsSync(scope),
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it was forgotten meanwhile
  }
}

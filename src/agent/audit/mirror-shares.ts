/**
 * The part of the panel's trail that is copied word for word in a day: a share for each tenant, each person and for strangers, and more
 * for root. What goes beyond its owner's share is told as a sum, whose end is still that of the trail: so nobody's entries
 * keep those of others out, and what is not copied can still not be changed unseen.
 */
import type { MirroredEntry } from '../../contract/wire.ts'
import type { AuditRecord } from './audit-line.ts'

const mb = 1024 * 1024
const dayMs = 86_400_000

/** Bytes a day; the sum of them is what a panel gone mad can write. */
const budgets = { all: 36 * mb, root: 12 * mb, sums: 8 * mb, messages: 8 * mb }
const share = 3 * mb
/** Told apart; all further ones are one owner. */
const mostOwners = 50_000
const sumBytes = 400

export interface MirrorShares {
  /** The lines for entries of one message; undefined when it is not taken today. */
  linesFor(entries: readonly MirroredEntry[]): readonly AuditRecord[] | undefined
}

/** @param onUsedUp hears of each owner whose share is used up, once a day */
export function mirrorShares(
  onUsedUp: (owner: string) => void,
  now: () => number = () => performance.now(),
): MirrorShares {
  let since = Number.NEGATIVE_INFINITY
  let left = { ...budgets }
  let shares = new Map<string, number>()

  function beginDay(): void {
    if (now() - since <= dayMs) return
    since = now()
    left = { ...budgets }
    shares = new Map()
  }

  function spend(from: keyof typeof budgets, bytes: number): boolean {
    if (left[from] < bytes) return false
    left[from] -= bytes
    return true
  }

  function hasShare(entry: MirroredEntry): boolean {
    const bytes = JSON.stringify(entry).length
    const owner = ownerOf(entry)
    if (owner === 'root') return spend('root', bytes) || spend('all', bytes)
    const name = shares.has(owner) || shares.size < mostOwners ? owner : 'others'
    const before = shares.get(name) ?? share
    if (before >= bytes && spend('all', bytes)) {
      shares.set(name, before - bytes)
      return true
    }
    if (before >= 0) onUsedUp(name)
    shares.set(name, -1)
    return false
  }

  return {
    linesFor(entries) {
      beginDay()
      const lines: AuditRecord[] = []
      let run: MirroredEntry[] = []
      const endRun = () => {
        if (run.length > 0) lines.push(sumOf(run))
        run = []
      }
      for (const entry of entries) {
        const isWhole = hasShare(entry)
        if (isWhole || (run[0] !== undefined && ownerOf(run[0]) !== ownerOf(entry))) endRun()
        if (isWhole) lines.push({ panel: entry })
        else run.push(entry)
      }
      endRun()
      const sums = lines.filter((line) => 'agent' in line).length
      if (sums === 0 || spend('sums', sums * sumBytes)) return lines
      return spend('messages', sumBytes) ? [sumOf(entries)] : undefined
    },
  }
}

function ownerOf({ actor, actorId, tenantId }: MirroredEntry): string {
  if (tenantId !== null) return `tenant ${tenantId}`
  if (actorId !== null) return `person ${actorId}`
  return actor === 'root' ? 'root' : 'strangers'
}

/** Of entries that follow one another. */
function sumOf(entries: readonly MirroredEntry[]): AuditRecord {
  const owners = new Set(entries.map(ownerOf))
  const [first] = entries
  const last = entries.at(-1) ?? first
  if (first === undefined || last === undefined) throw new Error('a sum of no entries')
  const [owner = ''] = owners
  return {
    agent: {
      event: 'trail.summed',
      owner: owners.size === 1 ? owner : 'several',
      entries: entries.length,
      from: first.sequence,
      sequence: last.sequence,
      checksum: last.checksum,
    },
  }
}

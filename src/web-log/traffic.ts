/**
 * Counts the bytes that each tenant's sites have sent, in a file that the root side reads. A counter only goes up; it begins
 * anew when its tenant's place in the routing table was gone, so that a name that changes hands takes no traffic along.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Counter {
  readonly since: string
  sent: number
}

export interface TrafficOptions {
  readonly path: string
  /** A directory for each tenant of the machine. */
  readonly tenants: string
}

export class Traffic {
  readonly #options: TrafficOptions
  readonly #counters: Map<string, Counter>
  #isChanged = false

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#counters = new Map(kept(options.path))
  }

  count(tenant: string, sent: number): void {
    const counter = this.#counters.get(tenant)
    if (counter === undefined) this.#counters.set(tenant, { since: new Date().toISOString(), sent })
    else counter.sent += sent
    this.#isChanged = true
  }

  /** Brings the counters to the disk; those whose tenant is gone are forgotten. */
  write(): void {
    for (const tenant of this.#counters.keys())
      if (!existsSync(join(this.#options.tenants, tenant))) {
        this.#counters.delete(tenant)
        this.#isChanged = true
      }
    if (!this.#isChanged) return
    const { path } = this.#options
    writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(this.#counters)), { mode: 0o640 })
    renameSync(`${path}.new`, path)
    this.#isChanged = false
  }
}

/** What this process wrote before its restart; a file that a crash spoiled begins anew. */
function kept(path: string): readonly (readonly [string, Counter])[] {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof found === 'object' && found !== null ? Object.entries(found).filter(isEntry) : []
  } catch {
    return []
  }
}

function isEntry(entry: [string, unknown]): entry is [string, Counter] {
  const [name, counter] = entry
  if (!/^[a-z][a-z0-9]*$/.test(name) || typeof counter !== 'object' || counter === null) return false
  return 'since' in counter && typeof counter.since === 'string' && 'sent' in counter && Number.isInteger(counter.sent)
}

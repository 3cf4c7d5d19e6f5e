/**
 * Refusals for their number in the audit trail. A flood must not fill what is kept for ever: whoever comes too often has one entry
 * when a limit begins to refuse them, and one with the number of its refusals a quarter of an hour later. Only so many are
 * told apart at once; all further ones together are `many`.
 */
import type { Actor } from '../../resources/actor.ts'

export interface LimitEntriesOptions {
  /** Adds an entry, in a transaction of its own. */
  readonly record: (who: Refused, action: `limit.${Limit}`, facts: Record<string, unknown>) => Promise<void>
  readonly onError: (error: unknown) => void
  readonly windowMs?: number
}

/** `sign-ins`: passwords, codes and confirmations. `links`: mails with a new password's link. */
export type Limit = 'requests' | 'reads' | 'writes' | 'sign-ins' | 'links'

export interface Refused {
  /** null: not known yet. */
  readonly actor: Actor | null
  readonly ip: string | null
}

export interface LimitEntries {
  refused(limit: Limit, who: Refused): void
  /** Writes what is left to tell. */
  stop(): Promise<void>
}

/** Of people and of strangers each, so that no flood of strangers hides who is signed in. */
export const mostTold = 100

interface Window {
  readonly end: () => void
  refusals: number
}

export function limitEntries({ record, onError, windowMs = 15 * 60_000 }: LimitEntriesOptions): LimitEntries {
  const windows = { people: new Map<string, Window>(), strangers: new Map<string, Window>() }
  let written = Promise.resolve()

  function write(...entry: Parameters<typeof record>): void {
    written = written.then(() => record(...entry)).catch(onError)
  }

  function begin(
    among: Map<string, Window>,
    key: string,
    limit: Limit,
    who: Refused,
    facts: Record<string, unknown>,
  ): Window {
    const action = `limit.${limit}` as const
    const end = () => {
      clearTimeout(timer)
      among.delete(key)
      if (window.refusals > 1) write(who, action, { ...facts, refusals: window.refusals })
    }
    const timer = setTimeout(end, windowMs).unref()
    const window = { end, refusals: 0 }
    among.set(key, window)
    write(who, action, facts)
    return window
  }

  return {
    refused(limit, who) {
      const among = who.actor === null ? windows.strangers : windows.people
      const key = `${limit} ${nameOf(who)}`
      const others = `${limit} many`
      const isOneMore = !among.has(key) && among.size >= mostTold
      const window =
        among.get(isOneMore ? others : key) ??
        (isOneMore
          ? begin(among, others, limit, { actor: null, ip: null }, { from: 'many' })
          : begin(among, key, limit, who, {}))
      window.refusals++
    },

    async stop() {
      for (const among of Object.values(windows)) for (const { end } of among.values()) end()
      await written
    },
  }
}

/** All API keys of a person as that person, and who acts as another as who they are; of strangers the address. */
function nameOf({ actor, ip }: Refused): string {
  return actor?.kind === 'user' ? (actor.impersonator ?? actor).id : String(ip)
}

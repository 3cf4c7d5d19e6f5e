/** Telling people of conditions: one mail to each who is to hear of them, one event for webhooks. */
import type { z } from 'zod'
import type { Stores } from '../stores.ts'
import type { Condition, Severity } from './schema.ts'
import type { News } from './store.ts'

const mostLines = 30
const mostInEvent = 50
const mostReaders = 20

/** In the transaction that marks them as told. */
export async function tell(stores: Stores, news: News, { canMail }: { readonly canMail: boolean }): Promise<void> {
  await emit(stores, 'condition.raised', news.raised)
  await emit(stores, 'condition.cleared', news.cleared)
  if (!canMail) return
  for (const [to, severities] of await readers(stores)) {
    const wanted = (all: readonly Condition[]) => all.filter(({ severity }) => severities.has(severity))
    const lines = linesOf({ raised: wanted(news.raised), cleared: wanted(news.cleared) })
    if (lines.length > 0) await stores.mails.queue('conditions', to, null, lines)
  }
}

async function emit({ webhooks }: Stores, type: string, all: readonly Condition[]): Promise<void> {
  if (all.length === 0) return
  const conditions = all.slice(0, mostInEvent)
  await webhooks.emit({ type, data: { conditions, more: all.length - conditions.length } })
}

/** Addresses, and the severities of which each is to hear. */
async function readers({ settings, users }: Stores): Promise<ReadonlyMap<string, Set<z.output<typeof Severity>>>> {
  const found = new Map<string, Set<z.output<typeof Severity>>>()
  for (const severity of ['critical', 'warning'] as const) {
    const setting = await settings.get(`conditions.mail_${severity}`)
    const addresses =
      setting === 'administrators'
        ? await users.administrators(mostReaders)
        : setting === 'nobody'
          ? []
          : setting.split(',')
    for (const address of addresses) found.set(address, (found.get(address) ?? new Set()).add(severity))
  }
  return found
}

/** As people read them; what one mail does not hold is counted. */
export function linesOf({ raised, cleared }: News): string[] {
  const lines = [
    ...raised.map(
      ({ severity, title, detail }) => `${severity}: ${title}${detail === null ? '' : ` (${short(detail)})`}`,
    ),
    ...cleared.map(({ title }) => `over: ${title}`),
  ]
  const more = lines.length - mostLines
  return more <= 0 ? lines : [...lines.slice(0, mostLines), `and ${more} more`]
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`
}

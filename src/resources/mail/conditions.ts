/** Mails that were given up in the last days: their readers do not know. */
import { type ConditionSource, eachRound } from '../condition-source.ts'

const spanMs = 3 * 86_400_000

export const failedMails: ConditionSource = {
  name: 'mails',
  everyMs: eachRound,
  async find({ stores, now }) {
    const { items } = await stores.mails.list({ state: 'failed', limit: 200 })
    const recent = items.filter(({ createdAt }) => Date.parse(now) - Date.parse(createdAt) < spanMs)
    if (recent.length === 0) return []
    const title = 'Mails were given up: no server took them'
    return [
      { subject: 'failed', severity: 'warning', title, detail: recent[0]?.error ?? null, page: '/mails?state=failed' },
    ]
  },
}

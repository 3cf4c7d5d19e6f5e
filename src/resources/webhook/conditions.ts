/** Webhooks that take nothing. */
import { type ConditionSource, eachRound, type FoundCondition } from '../condition-source.ts'

export const failingWebhooks: ConditionSource = {
  name: 'webhooks',
  everyMs: eachRound,
  async find({ stores, now }) {
    const { items } = await stores.webhooks.list({ limit: 200 })
    return items.flatMap(({ id, name, failingSince, disabledReason }): FoundCondition[] => {
      const found = { subject: id, severity: 'warning', page: `/webhooks/${id}` } as const
      if (disabledReason !== null)
        return [{ ...found, title: `Webhook ${name} was switched off`, detail: disabledReason }]
      const isLong = failingSince !== null && Date.parse(now) - Date.parse(failingSince) > patienceMs
      return isLong ? [{ ...found, title: `Webhook ${name} takes nothing`, detail: `since ${failingSince}` }] : []
    })
  },
}

/** A receiver may be restarted. */
const patienceMs = 15 * 60_000

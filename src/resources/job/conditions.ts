/** Jobs of which nothing was heard for too long. */
import { shownHost } from '../../lib/shown-host.ts'
import { type ConditionSource, eachRound } from '../condition-source.ts'

const most = 300

export const stalledJobs: ConditionSource = {
  name: 'jobs',
  everyMs: eachRound,
  async find({ stores }) {
    const { items } = await stores.jobs.list({ state: 'stalled', limit: most })
    return items.map(({ id, type, resourceName }) => ({
      subject: id,
      severity: 'critical',
      title: `Job ${type} of ${shownHost(resourceName)} is stalled`,
      page: `/jobs/${id}`,
    }))
  },
}

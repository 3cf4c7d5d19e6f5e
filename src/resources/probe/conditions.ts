/** Sites that have not answered this machine's own web server several times in a row. */
import { shownHost } from '../../lib/shown-host.ts'
import { type ConditionSource, eachRound } from '../condition-source.ts'

const most = 200

export const failingSites: ConditionSource = {
  name: 'probes',
  everyMs: eachRound,
  async find({ stores }) {
    const failing = await stores.probes.failing(most)
    return failing.map(({ id, fqdn, failingSince, problem }) => ({
      subject: id,
      severity: 'critical',
      title: `${shownHost(fqdn)} does not answer since ${failingSince.slice(0, 16).replace('T', ' ')} UTC`,
      detail: problem,
      page: `/domains/${fqdn}/health`,
    }))
  },
}

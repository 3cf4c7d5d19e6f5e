/** Certificates that end soon and were not renewed, or were brought by somebody who has to bring another. */
import { shownHost } from '../../lib/shown-host.ts'
import type { ConditionSource, FoundCondition } from '../condition-source.ts'
import { isCritical, toldDays, warnedMs, whenOf } from './ending.ts'

const most = 200

export const endingCertificates: ConditionSource = {
  name: 'certificates',
  everyMs: 3_600_000,
  async find({ stores, now }) {
    const at = Date.parse(now)
    const found = await stores.certificates.endingBefore(new Date(at + warnedMs).toISOString(), most)
    return found.flatMap((one): FoundCondition[] => {
      const days = toldDays(one, at)
      if (days === null) return []
      const title = `The certificate of ${shownHost(one.fqdn)} ${whenOf(days)}, at ${one.notAfter.slice(0, 10)}`
      const severity = isCritical(one, at) ? 'critical' : 'warning'
      const page = `/certificates/${one.fqdn}`
      return [{ subject: one.id, severity, page, title, tellsNewTitle: true, detail: one.problem }]
    })
  },
}

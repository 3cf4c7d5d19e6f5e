/** Certificates that end soon and were not renewed, or were brought by somebody who has to bring another. */
import { shownHost } from '../../lib/host-name.ts'
import type { ConditionSource, FoundCondition } from '../condition-source.ts'

const day = 86_400_000
const warnedMs = 14 * day
const criticalMs = 3 * day
const most = 200

export const endingCertificates: ConditionSource = {
  name: 'certificates',
  everyMs: 3_600_000,
  async find({ stores, now }) {
    const at = Date.parse(now)
    const found = await stores.certificates.endingBefore(new Date(at + warnedMs).toISOString(), most)
    return found.flatMap(({ id, fqdn, notBefore, notAfter, problem }): FoundCondition[] => {
      const end = Date.parse(notAfter)
      const left = end - at
      // of one that lives a week two days are a lot
      const share = (end - Date.parse(notBefore)) / 4
      if (left > Math.min(warnedMs, share)) return []
      const title = `The certificate of ${shownHost(fqdn)} ${left > 0 ? 'ends' : 'has ended'} at ${notAfter.slice(0, 10)}`
      const severity = left <= Math.min(criticalMs, share / 2) ? 'critical' : 'warning'
      return [{ subject: id, severity, page: `/certificates/${fqdn}`, title, detail: problem }]
    })
  },
}

/** Certificates that end soon and were not renewed, or were brought by somebody who has to bring another. */
import { shownHost } from '../../lib/host-name.ts'
import type { ConditionSource, FoundCondition } from '../condition-source.ts'

const day = 86_400_000
const warnedMs = 14 * day
const criticalMs = 3 * day
/** Days before its end at which people are told. */
const told = [1, 3, 7, 14]
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
      const title = `The certificate of ${shownHost(fqdn)} ${whenOf(left)}, at ${notAfter.slice(0, 10)}`
      const severity = left <= Math.min(criticalMs, share / 2) ? 'critical' : 'warning'
      return [{ subject: id, severity, page: `/certificates/${fqdn}`, title, tellsNewTitle: true, detail: problem }]
    })
  },
}

/** The same words from one of these days to the next. */
function whenOf(leftMs: number): string {
  if (leftMs <= 0) return 'has ended'
  const days = told.find((one) => leftMs <= one * day)
  return days === 1 ? 'ends within a day' : `ends within ${days} days`
}

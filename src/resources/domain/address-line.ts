/** Who may come from where, as people write it: `allow 203.0.113.0/24`, `deny 198.51.100.7`. */
import { z } from 'zod'
import type { AddressRule } from '../../contract/site-settings.ts'
import { addressPrefixes } from '../../lib/address-prefixes.ts'
import { canonicalRange } from '../../lib/address-range.ts'

const accepted = 'allow or deny, and an address or a range, such as: allow 203.0.113.0/24'
const narrower = 'a range from /1 on; of IPv6 one whose length is up to eight below 16, 32, 48, 64, 80, 96, 112 or 128'

export const AddressLine = z
  .string({ error: accepted })
  .max(100, { error: accepted })
  .superRefine((line, context) => {
    const [verdict, range, ...more] = line.trim().split(/\s+/)
    const refuse = (message: string, problem?: string) =>
      context.addIssue({ code: 'custom', message, ...(problem && { params: { problem } }) })
    if (!['allow', 'deny'].includes(verdict ?? '') || range === undefined || more.length > 0) return refuse(accepted)
    const read = canonicalRange(range)
    if ('problem' in read) return refuse(accepted, read.problem)
    if (addressPrefixes(read.range) === null) refuse(narrower)
  })

/** @throws for a line that `AddressLine` refuses */
export function addressRuleOf(line: string): AddressRule {
  const [verdict, range = ''] = AddressLine.parse(line).trim().split(/\s+/)
  const read = canonicalRange(range)
  if ('problem' in read) throw new TypeError(`"${range}" ${read.problem}`)
  return { isAllowed: verdict === 'allow', range: read.range }
}

export function addressLine({ isAllowed, range }: AddressRule): string {
  return `${isAllowed ? 'allow' : 'deny'} ${range}`
}

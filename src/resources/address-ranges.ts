/** Where keys may be used from, as people write it. */
import { z } from 'zod'
import { canonicalRange } from '../lib/address-range.ts'

const aRange = 'an address or a range such as 203.0.113.0/24'

/** As people write it; comes out in its one writing, so that none is there twice. */
const AddressRange = z
  .string()
  .max(50, { error: aRange })
  .transform((text, context) => {
    const read = canonicalRange(text)
    if ('range' in read) return read.range
    context.addIssue({ code: 'custom', message: aRange, params: { problem: read.problem }, input: text })
    return z.NEVER
  })

export const AddressRanges = z
  .array(AddressRange, {
    error: 'a list of addresses and ranges such as 203.0.113.0/24',
  })
  .max(50, { error: 'at most 50 ranges' })
  .describe('Addresses and ranges that it may be used from; none for everywhere')

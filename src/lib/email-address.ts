/** An e-mail address in its one canonical form: lower case, its domain as the name of a site would be. */
import { z } from 'zod'
import { canonicalHost } from './host-name.ts'

const anAddress = 'an e-mail address such as ann@example.com'
const longest = 254

export const EmailAddress = z
  .string({ error: anAddress })
  .trim()
  .toLowerCase()
  .max(longest, { error: `at most ${longest} characters` })
  .transform((text, context) => {
    const [, local = '', domain = ''] = /^([a-z0-9_'+.-]{1,64})@([^@]+)$/.exec(text) ?? []
    const host = canonicalHost(domain)
    const isWhole = 'name' in host && isDotString(local) && local.length + 1 + host.name.length <= longest
    if (isWhole) return `${local}@${host.name}`
    context.addIssue({ code: 'custom', message: anAddress, input: text })
    return z.NEVER
  })

/** Words with single dots between them (RFC 5321). */
function isDotString(local: string): boolean {
  return local.split('.').every((word) => word !== '')
}

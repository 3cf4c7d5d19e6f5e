/**
 * Domain names in their one canonical form, and what is related to what.
 *
 * Every writing of a name (upper case, a trailing dot, full-width dots, Unicode labels) becomes the same lower-case
 * A-labels or is refused, so that one name can never be held twice under two writings (threats C23).
 */
import { parse } from 'tldts'
import { z } from 'zod'
import { Fqdn } from '../contract/values.ts'
import { canonicalHost, type HostReading } from './host-name.ts'

const accepted = 'a host name such as shop.example.com'

/** @returns the canonical name, or the reason why it is none that a customer can have. */
export function canonicalDomain(text: string): HostReading {
  const host = canonicalHost(text)
  return ('name' in host ? refusedSuffix(host.name) : undefined) ?? host
}

const localNames = ['localhost', 'localdomain', 'invalid', 'onion', 'arpa', 'wcp360']

function refusedSuffix(name: string): { problem: string } | undefined {
  const { isIp, publicSuffix, domain } = parse(name, { allowPrivateDomains: true, validateHostname: false })
  if (isIp === true) return { problem: 'is an address, not a name' }
  if (localNames.includes(name.slice(name.lastIndexOf('.') + 1))) return { problem: 'is a name of the machine itself' }
  if (domain === null || publicSuffix === name)
    return { problem: 'is a public suffix, below which others have their names' }
  return undefined
}

/** A domain name as people write it; comes out canonical. */
export const DomainName = z.string({ error: accepted }).transform((text, context): Fqdn => {
  const result = canonicalDomain(text)
  if ('name' in result) return result.name
  context.addIssue({ code: 'custom', message: accepted, params: { problem: result.problem }, input: text })
  return z.NEVER
})

/** `shop.example.co.uk` → `example.co.uk`: what its owner registered. */
export function registrableDomain(name: Fqdn): string {
  return parse(name, { allowPrivateDomains: true, validateHostname: false }).domain ?? name
}

/** `a.b.example.com` → `b.example.com`, `example.com`; never a public suffix. */
export function ancestorsOf(name: Fqdn): Fqdn[] {
  const top = registrableDomain(name)
  const ancestors: Fqdn[] = []
  for (let rest = name; rest !== top && rest.includes('.'); ) {
    rest = Fqdn.parse(rest.slice(rest.indexOf('.') + 1))
    ancestors.push(rest)
  }
  return ancestors
}

/** `shop.example.com` → `com.example.shop`: names below one another become a range. */
export function reversedName(name: string): string {
  return name.split('.').reverse().join('.')
}

/** True for the name itself and for all names below it. */
export function isWithin(name: string, ancestor: string): boolean {
  return name === ancestor || name.endsWith(`.${ancestor}`)
}

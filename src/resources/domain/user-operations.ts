/** Who gets into the protected directories of a site. */
import { z } from 'zod'
import { mostSiteUsers, type SiteSettings, SiteUserName } from '../../contract/site-settings.ts'
import { Id } from '../../contract/values.ts'
import { newSitePassword, siteVerifier } from '../../lib/site-password.ts'
import { AcceptedMaybe } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { conflict } from '../refusals.ts'
import { domainUpdate } from './jobs.ts'
import { DomainRef, ready } from './ready.ts'
import { type Domain, heldAliases } from './schema.ts'

const target = {
  domain: DomainRef,
  name: SiteUserName.describe('Name that visitors sign in with, such as alice; small and capital letters differ'),
}
/** The one answer that has the password: afterwards nobody knows it but who was given it. */
const WithPassword = z.strictObject({ id: Id, jobId: Id, password: z.string() })
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const addUser = defineOperation({
  name: 'domain.add-user',
  summary: 'Let a user into the protected directories of a domain, by a password that is shown once',
  description:
    'A user who is there already gets another password, and the former one lets nobody in from the end of the job on. No reload of the web server is needed.',
  effect: 'machine',
  policy: { ...policy, isSensitive: true },
  answersOnce: true,
  http: 'POST /domains/{domain}/users',
  positional: ['domain', 'name'],
  input: () => z.strictObject(target),
  output: () => WithPassword,
  async run(context, { domain: ref, name }) {
    const domain = await ready(context, ref, 'update')
    const { users, others } = await usersOf(context, domain, name)
    if (others.length >= mostSiteUsers)
      conflict(
        `add a user to domain "${domain.fqdn}"`,
        `it has ${mostSiteUsers}`,
        'Take one away that is not used any more.',
      )
    const password = newSitePassword()
    const user = { name, verifier: siteVerifier(password) }
    const isKnown = others.length < users.length
    const next = isKnown ? users.map((one) => (one.name === name ? user : one)) : [...users, user]
    return { id: domain.id, jobId: await choose(context, domain, next), password }
  },
})

export const removeUser = defineOperation({
  name: 'domain.remove-user',
  summary: 'Let a user into the protected directories of a domain no longer',
  description: 'No reload of the web server is needed. Of somebody who is not there no job is made.',
  effect: 'machine',
  policy,
  http: 'DELETE /domains/{domain}/users/{name}',
  positional: ['domain', 'name'],
  confirm: 'Take this user away? The password opens nothing any more; a later user of the same name gets another one.',
  input: () => z.strictObject(target),
  output: () => AcceptedMaybe,
  async run(context, { domain: ref, name }) {
    const domain = await ready(context, ref, 'update')
    const { users, others } = await usersOf(context, domain, name)
    if (others.length === users.length) return { id: domain.id, jobId: null }
    return { id: domain.id, jobId: await choose(context, domain, others) }
  },
})

async function usersOf({ domains }: Context, { id }: Domain, name: string) {
  const { users = [] } = (await domains.settings(id)).site
  return { users, others: users.filter((one) => one.name !== name) }
}

async function choose(context: Context, domain: Domain, users: NonNullable<SiteSettings['users']>): Promise<Id> {
  const { id, tenantId, php } = domain
  const { https, site } = await context.domains.settings(id)
  const { users: _, ...rest } = site
  const settings: SiteSettings = users.length === 0 ? rest : { ...rest, users }
  return context.enqueue(
    domainUpdate,
    { tenant: tenantId, domain: id, aliases: heldAliases(domain), php, settings },
    (row) => context.domains.update(row, { php, settings: { https, site: settings } }),
  )
}

/** An application of a tenant, in the document root of one of its domains. */
import { z } from 'zod'
import { Fqdn, Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { timestamps } from '../answers.ts'

export const Application = z.enum(['wordpress'], { error: 'wordpress' })

export const AppRef = z
  .union([Id, DomainName], { error: 'the id of an application, or the name of its domain' })
  .describe('Application, by id or name of its domain')

export const App = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  domainId: Id,
  fqdn: Fqdn,
  application: Application,
  title: z.string(),
  adminUser: z.string(),
  adminEmail: z.string(),
  /** null: it has been purged. */
  databaseId: Id.nullable(),
  databaseName: z.string().nullable(),
  status: z.string(),
  ...timestamps,
})
export type App = z.output<typeof App>

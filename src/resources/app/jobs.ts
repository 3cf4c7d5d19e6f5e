/** The jobs of an application. No password is in them: the site's own is made on the root side, the administrator's inside of the tenant. */
import { z } from 'zod'
import { DatabaseName } from '../../contract/database.ts'
import { defineJob } from '../../contract/job.ts'
import { Id, Line } from '../../contract/values.ts'
import { EmailAddress } from '../../lib/email-address.ts'

/** What it is called on its pages. */
export const AppTitle = Line.pipe(
  z.string().min(1, { error: '1 to 120 characters' }).max(120, { error: '1 to 120 characters' }),
)

/** As WordPress takes it, without spaces and signs that an argument or a program could read as something else. */
export const AppUser = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,58}[A-Za-z0-9])?$/, {
  error: '1 to 60 letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit',
})

/** A parsed address is one that parses to itself. */
const Address = z.string().refine((text) => EmailAddress.safeParse(text).data === text, { error: 'an e-mail address' })

/** `run`: names what is run for it, once. */
const about = { tenant: Id, app: Id, domain: Id, run: Id }

/** WordPress in the document root of a domain, with a database of its own. */
export const appInstall = defineJob({
  type: 'app.install',
  payload: z.strictObject({
    ...about,
    database: Id,
    name: DatabaseName,
    title: AppTitle,
    adminUser: AppUser,
    adminEmail: Address,
  }),
  kind: 'app',
  destructive: false,
  brake: 'creates',
  timeoutSeconds: 1800,
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

const link = {
  payload: z.strictObject({ ...about, user: AppUser }),
  kind: 'app',
  destructive: false,
  brake: 'changes',
  timeoutSeconds: 600,
  status: { queued: 'previous', succeeded: 'previous', failed: 'previous' },
  beside: true,
} as const

/** Prints a link, good once and for a day, by which a user of the site sets a password. */
export const appResetLink = defineJob({ type: 'app.reset-link', ...link })

/** Prints a link, good once and for some minutes, that signs a user of the site in. */
export const appLoginLink = defineJob({ type: 'app.login-link', ...link })

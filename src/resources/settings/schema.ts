/** Settings: the few things that can be changed while the panel runs; a closed list of typed keys. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { PhpVersion } from '../../contract/values.ts'
import { EmailAddress } from '../../lib/email-address.ts'

interface Definition<T extends z.ZodType = z.ZodType> {
  readonly schema: T
  readonly fallback: z.output<T>
  readonly description: string
}

function setting<T extends z.ZodType>(definition: Definition<T>): Definition<T> {
  return definition
}

const Days = (from: number, to: number) =>
  z
    .int({ error: `a whole number from ${from} to ${to}` })
    .min(from, { error: `${from} or more` })
    .max(to, { error: `${to} or less` })

const readersAccepted = 'administrators, nobody, or up to five e-mail addresses with commas between them'

/** In one text, because a form and a terminal write it so. */
const Readers = z.string({ error: readersAccepted }).transform((text, context) => {
  if (text === 'administrators' || text === 'nobody') return text
  const { success, data } = z.array(EmailAddress).min(1).max(5).safeParse(text.split(','))
  if (success) return data.join(',')
  context.addIssue({ code: 'custom', message: readersAccepted, input: text })
  return z.NEVER
})

const Authority = z
  .string()
  .max(200)
  .regex(/^(?:letsencrypt|letsencrypt-staging|https:\/\/[\x21-\x7e]+)$/, {
    error: 'letsencrypt, letsencrypt-staging, or an https address',
  })

const Addresses = z
  .string()
  .max(200)
  .refine((text) => addressesIn(text).every((one) => isIP(one) !== 0), {
    error: 'addresses such as "203.0.113.7, 2001:db8::7"',
  })

export function addressesIn(text: string): readonly string[] {
  return text.split(',').map((one) => one.trim())
}

export const settingDefinitions = {
  'sites.default_php': setting({
    schema: PhpVersion.nullable(),
    fallback: null,
    description: 'PHP version of a new site that names none; null takes the newest that is installed',
  }),
  'domains.ask_proof': setting({
    schema: z.boolean({ error: 'true or false' }),
    fallback: true,
    description:
      'Whether customers and resellers prove by a TXT record that a name is theirs before it is served; administrators are believed',
  }),
  'domains.cooling_off_days': setting({
    schema: Days(0, 30),
    fallback: 30,
    description:
      'Days during which a deleted domain is taken by another customer with a proof only, whatever domains.ask_proof says',
  }),
  'domains.claims_per_day': setting({
    schema: z
      .int({ error: 'a whole number from 1 to 1000' })
      .min(1, { error: '1 or more' })
      .max(1000, { error: '1000 or less' }),
    fallback: 20,
    description: 'New names a day that customers and resellers may ask for on a tenant where a proof is needed',
  }),
  'conditions.mail_critical': setting({
    schema: Readers,
    fallback: 'administrators',
    description: `Who gets a mail when something critical begins or ends: ${readersAccepted}`,
  }),
  'conditions.mail_warning': setting({
    schema: Readers,
    fallback: 'administrators',
    description: `Who gets a mail when something that is worth a warning begins or ends: ${readersAccepted}`,
  }),
  'certificates.authority': setting({
    schema: Authority.nullable(),
    fallback: null,
    description:
      'Authority that is asked for the certificate of each active domain: letsencrypt, letsencrypt-staging, or the https address of its directory (RFC 8555); setting it agrees to its terms. null asks nobody',
  }),
  'certificates.contact': setting({
    schema: EmailAddress.nullable(),
    fallback: null,
    description: 'E-mail address that the authority may write to; null tells it none',
  }),
  'certificates.addresses': setting({
    schema: Addresses.nullable(),
    fallback: null,
    description:
      'Addresses that the names of sites must lead to before a certificate is asked for, such as "203.0.113.7, 2001:db8::7"; null takes the public ones of this machine',
  }),
  'certificates.orders_per_hour': setting({
    schema: z
      .int({ error: 'a whole number from 1 to 1000' })
      .min(1, { error: '1 or more' })
      .max(1000, { error: '1000 or less' }),
    fallback: 90,
    description: 'Certificates that the authority is asked for in an hour; the others wait',
  }),
  'certificates.mail_customers': setting({
    schema: z.boolean({ error: 'true or false' }),
    fallback: true,
    description:
      'Whether the people of a customer are mailed 14, 7, 3 and 1 days before a certificate of theirs ends that was not renewed',
  }),
  'overview.first_steps': setting({
    schema: z.boolean({ error: 'true or false' }),
    fallback: true,
    description: 'Whether the overview shows administrators the first steps until the first site is there',
  }),
  'jobs.keep_days': setting({
    schema: Days(1, 3650),
    fallback: 90,
    description: 'Days for which finished jobs stay in the list',
  }),
} as const

export type SettingKey = keyof typeof settingDefinitions
export type SettingValue<K extends SettingKey> = z.output<(typeof settingDefinitions)[K]['schema']>
export const SettingKey = z
  .enum(Object.keys(settingDefinitions) as [SettingKey, ...SettingKey[]], {
    error: `one of ${Object.keys(settingDefinitions).join(', ')}`,
  })
  .describe('Name of the setting')

export const SettingScalar = z.union([z.string().max(200), z.number(), z.boolean(), z.null()], {
  error: 'a text, a number, true, false or null',
})

export const Setting = z.strictObject({
  key: SettingKey,
  value: SettingScalar,
  isDefault: z.boolean(),
  description: z.string(),
})
export type Setting = z.output<typeof Setting>

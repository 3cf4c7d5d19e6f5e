/** Client certificates: registered by their owner, taken away by the owner or by an administrator when the key is lost. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { pageOf } from '../listing.ts'
import { badInput, conflict, notFound } from '../refusals.ts'
import { listByOwner, listedOwner, ownAccount, ownOrPermitted, ownOrWeaker } from '../user/account.ts'
import { visibleUser } from '../user/guards.ts'
import { type User, UserRef } from '../user/schema.ts'
import { readCertificate, wantedCertificate } from './read-certificate.ts'
import { ClientCertificate } from './schema.ts'

const policy = { scopes: ['global', 'reseller', 'local'] } as const

export const list = defineOperation({
  ...listByOwner,
  name: 'client-certificate.list',
  summary: 'List the certificates with which people sign in',
  description: 'Without a user: your own. Root sees those of everybody.',
  whileEnrolling: true,
  http: 'GET /client-certificates',
  columns: ['email', 'name', 'expiresAt', 'lastUsedAt', 'id'],
  output: () => pageOf(ClientCertificate),
  async run(context, { user, ...query }) {
    return context.clientCertificates.list({
      ...query,
      user: await listedOwner(context, 'client-certificate.list', user),
    })
  },
})

export const create = defineOperation({
  name: 'client-certificate.create',
  summary: 'Register a certificate with which you sign in beside your password',
  description:
    'What counts is its public key: it may be self-signed. From then on the password alone is not enough, and all sessions end: sign in again through the certificate port.',
  effect: 'write',
  policy: { ...policy, isSensitive: true },
  isForEveryone: true,
  whileEnrolling: true,
  stepUp: true,
  http: 'POST /users/{user}/client-certificates',
  positional: ['user'],
  input: () =>
    z.strictObject({
      user: UserRef,
      name: z
        .string({ error: 'a name such as "work laptop"' })
        .trim()
        .min(1, { error: 'a name such as "work laptop"' })
        .max(64, { error: 'at most 64 characters' })
        .describe('Name by which you know it, such as "work laptop"'),
      certificate: z
        .string({ error: wantedCertificate })
        .max(16_384, { error: 'at most 16384 characters' })
        .describe('The certificate in PEM form, never its private key'),
    }),
  output: () => Done,
  async run(context, input) {
    const what = 'register the certificate'
    const user = await whoseNew(context, what, input.user)
    if (!context.hasCertificatePort)
      conflict(what, 'there is no port that asks for one', 'Set "certificate_port" in the configuration.')
    const read = readCertificate(input.certificate, context.now)
    if (typeof read === 'string') badInput(what, { field: 'certificate', problem: read, accepted: wantedCertificate })
    const id = context.newId()
    if (!(await context.clientCertificates.insert({ ...read, id, user: user.id, name: input.name })))
      conflict(what, 'its key is registered already', 'There is nothing to do.')
    await context.users.endSessions(user.id)
    return { id }
  },
})

export const remove = defineOperation({
  name: 'client-certificate.delete',
  summary: 'Take a certificate away from a user',
  description: 'Ends all sessions of the user.',
  effect: 'write',
  policy: { ...policy, isSensitive: true },
  isForEveryone: true,
  stepUp: true,
  http: 'DELETE /client-certificates/{certificate}',
  positional: ['certificate'],
  confirm: 'Take this certificate away? Nobody signs in with it any more.',
  input: () => z.strictObject({ certificate: Id.describe('Client certificate, by id') }),
  output: () => Done,
  async run(context, { certificate }) {
    const { userId } = await context.clientCertificates.get(certificate)
    // In the words of what does not exist: a stranger's certificate is not there.
    const { id, email } = await ownOrPermitted(context, 'client-certificate.delete', userId).catch(() =>
      notFound('client certificate', certificate),
    )
    await ownOrWeaker(context, 'client-certificate.delete', `take a certificate away from "${email}"`, id)
    await context.clientCertificates.remove(certificate)
    await context.users.endSessions(id)
    return { id: certificate }
  },
})

/** Somebody who owes a certificate may register the first one, and no other: else a password would be enough to get in. */
async function whoseNew(context: Context, what: string, ref: string): Promise<User> {
  if (context.actor.kind === 'root') return visibleUser(context, ref)
  const user = await ownAccount(context, what, ref)
  if (context.mustEnrol && (await context.clientCertificates.isOn(user.id)))
    conflict(what, 'you have one already', 'Sign in with that one, or ask an administrator to take it away.')
  return user
}

/** Authenticator apps: set up by their owner, taken away by the owner or by an administrator when the phone is lost. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { badInput, conflict } from '../refusals.ts'
import { ownAccount, ownOrPermitted, ownOrWeaker } from '../user/account.ts'
import { UserRef } from '../user/schema.ts'
import { base32, totpSecretBytes, totpUri } from './code.ts'
import { newRecoveryCode, recoveryCodeCount } from './recovery-code.ts'
import { RecoveryCodes, TotpCode, TotpSecret, TotpState } from './schema.ts'

const target = { user: UserRef }

export const get = defineOperation({
  name: 'totp.get',
  summary: 'Show whether a user has an authenticator app',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  whileEnrolling: true,
  http: 'GET /users/{user}/totp',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => TotpState,
  async run(context, input) {
    const { id, email } = await ownOrPermitted(context, 'totp.get', input.user)
    return { email, ...(await context.totp.state(id)) }
  },
})

export const create = defineOperation({
  name: 'totp.create',
  summary: 'Begin to set up an authenticator app for your own account',
  description: 'Answers the secret once. It counts from the first code on: see totp.confirm.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  answersOnce: true,
  isForEveryone: true,
  whileEnrolling: true,
  stepUp: true,
  http: 'POST /users/{user}/totp',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => TotpSecret,
  async run(context, input) {
    const { id, email } = await ownAccount(context, 'set up an authenticator app', input.user)
    const secret = randomBytes(totpSecretBytes)
    if (!(await context.totp.begin(id, secret)))
      conflict('set up an authenticator app', 'there is one already', 'Delete it first.')
    return { secret: base32(secret), uri: totpUri(secret, context.panelHost, email) }
  },
})

export const confirm = defineOperation({
  name: 'totp.confirm',
  summary: 'Take your authenticator app into use by its first code',
  description: 'Answers ten recovery codes, shown once, and ends all sessions: sign in again with a code.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  answersOnce: true,
  isForEveryone: true,
  whileEnrolling: true,
  http: 'POST /users/{user}/totp/confirm',
  positional: ['user'],
  secret: ['code'],
  input: () => z.strictObject({ ...target, code: TotpCode }),
  output: () => RecoveryCodes,
  async run(context, input) {
    const what = 'take the authenticator app into use'
    const { id } = await ownAccount(context, what, input.user)
    if (!(await context.totp.confirm(id, input.code)))
      badInput(what, {
        field: 'code',
        problem: 'is not the one that the app should show now',
        accepted: 'the present code; the clocks of server and phone must agree',
      })
    await context.users.endSessions(id)
    return { recoveryCodes: await freshCodes(context, id) }
  },
})

export const renewCodes = defineOperation({
  name: 'totp.renew-codes',
  summary: 'Make new recovery codes for your own account; the old ones are worth nothing then',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  answersOnce: true,
  isForEveryone: true,
  stepUp: true,
  http: 'POST /users/{user}/totp/codes',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => RecoveryCodes,
  async run(context, input) {
    const { id } = await ownAccount(context, 'make recovery codes', input.user)
    if (!(await context.totp.isOn(id)))
      conflict('make recovery codes', 'there is no authenticator app', 'Set one up first.')
    return { recoveryCodes: await freshCodes(context, id) }
  },
})

export const remove = defineOperation({
  name: 'totp.delete',
  summary: 'Take an authenticator app and its recovery codes away from a user',
  description: 'Ends all sessions of the user.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  stepUp: true,
  http: 'DELETE /users/{user}/totp',
  positional: ['user'],
  confirm: 'Take the authenticator app away? The password alone will do then.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const what = `take the authenticator app away from "${input.user}"`
    const { id } = await ownOrWeaker(context, 'totp.delete', what, input.user)
    if (!(await context.totp.remove(id))) conflict(what, 'there is none', 'There is nothing to do.')
    await context.users.endSessions(id)
    return { id }
  },
})

async function freshCodes({ totp }: Context, user: Parameters<typeof totp.remove>[0]): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodeCount }, newRecoveryCode)
  await totp.setRecoveryCodes(user, codes)
  return codes
}

/** Sessions: looked at and ended by their owner, and by those who manage users. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { ownOrPermitted, ownOrWeaker } from '../user/account.ts'
import { UserRef } from '../user/schema.ts'
import { Session } from './schema.ts'

export const list = defineOperation({
  name: 'session.list',
  summary: 'List where people are signed in',
  description: 'Without a user: your own sessions. Root sees those of everybody.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  http: 'GET /sessions',
  positional: [],
  columns: ['email', 'agent', 'ip', 'seenAt', 'factor', 'id'],
  input: z.strictObject({ user: UserRef.optional(), ...listInput }),
  output: pageOf(Session),
  async run(context, { user, ...query }) {
    return context.sessions.list({ ...query, user: await whose(context, user) })
  },
})

export const revoke = defineOperation({
  name: 'session.revoke',
  summary: 'End a session: its browser is signed out at once',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  http: 'DELETE /sessions/{session}',
  positional: ['session'],
  input: z.strictObject({ session: Id.describe('Session, by id') }),
  output: Done,
  async run(context, input) {
    const { userId } = await context.sessions.get(input.session)
    // In the words of what does not exist: a stranger's session is not there.
    const { id } = await ownOrPermitted(context, 'session.revoke', userId).catch(() =>
      notFound('session', input.session),
    )
    await ownOrWeaker(context, 'session.revoke', `end session "${input.session}"`, id)
    await context.sessions.end(input.session)
    return { id: input.session }
  },
})

async function whose(context: Context, user: string | undefined): Promise<Id | undefined> {
  if (user !== undefined) return (await ownOrPermitted(context, 'session.list', user)).id
  return context.actor.kind === 'user' ? context.actor.id : undefined
}

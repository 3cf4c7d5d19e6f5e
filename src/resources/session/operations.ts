/** Sessions: looked at and ended by their owner, and by those who manage users. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { pageOf } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { listByOwner, listedOwner, ownOrPermitted, ownOrWeaker } from '../user/account.ts'
import { UserRef } from '../user/schema.ts'
import { Session } from './schema.ts'

export const list = defineOperation({
  ...listByOwner,
  name: 'session.list',
  summary: 'List where people are signed in',
  description: 'Without a user: your own sessions. Root sees those of everybody.',
  http: 'GET /sessions',
  columns: ['email', 'agent', 'ip', 'seenAt', 'factor', 'id'],
  output: () => pageOf(Session),
  async run(context, { user, ...query }) {
    return context.sessions.list({ ...query, user: await listedOwner(context, 'session.list', user) })
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
  input: () => z.strictObject({ session: Id.describe('Session, by id') }),
  output: () => Done,
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

export const revokeAll = defineOperation({
  name: 'session.revoke-all',
  summary: 'End all sessions of a user: every browser is signed out at once',
  description: 'Your own too, where you are that user. API keys go on.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  http: 'DELETE /users/{user}/sessions',
  positional: ['user'],
  confirm: 'End all sessions of this user? Every browser is signed out at once, this one too if they are yours.',
  input: () => z.strictObject({ user: UserRef }),
  output: () => Done,
  async run(context, input) {
    const { id } = await ownOrWeaker(context, 'session.revoke-all', `end the sessions of "${input.user}"`, input.user)
    await context.sessions.endAll(id)
    return { id }
  },
})

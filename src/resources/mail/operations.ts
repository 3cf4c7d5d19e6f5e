/** The mails of the panel: what was sent, what was not and why, and a try. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { listInput, pageOf } from '../listing.ts'
import { conflict } from '../refusals.ts'
import { Email } from '../user/schema.ts'
import { Mail, MailState } from './schema.ts'

const policy = { scopes: ['global'] } as const

export const list = defineOperation({
  name: 'mail.list',
  summary: 'List the mails that the panel has sent or could not send',
  effect: 'read',
  policy,
  http: 'GET /mails',
  positional: [],
  columns: ['createdAt', 'kind', 'to', 'state', 'attempts', 'error'],
  input: () => z.strictObject({ state: MailState.optional().describe('Mails in this state only'), ...listInput }),
  output: () => pageOf(Mail),
  run: ({ mails }, query) => mails.list(query),
})

export const retry = defineOperation({
  name: 'mail.retry',
  summary: 'Try a failed mail again',
  effect: 'write',
  policy,
  http: 'POST /mails/{mail}/retry',
  positional: ['mail'],
  input: () => z.strictObject({ mail: Id.describe('Mail, by id') }),
  output: () => Done,
  async run({ mails }, { mail }) {
    await mails.retry(mail)
    return { id: mail }
  },
})

export const test = defineOperation({
  name: 'mail.test',
  summary: 'Send a mail that shows that mail works',
  effect: 'write',
  policy,
  http: 'POST /mails/test',
  positional: ['to'],
  input: () => z.strictObject({ to: Email.describe('Where to send it') }),
  output: () => Done,
  async run({ mails, canMail }, { to }) {
    if (!canMail) conflict('send a mail', 'no mail server is configured', 'Set "smtp" in the configuration.')
    return { id: await mails.queue('test', to, null) }
  },
})

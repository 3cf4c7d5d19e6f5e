/** Time zone and forms of numbers and dates, which each person chooses for the own account. */
import { z } from 'zod'
import { Done } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { ownAccount, ownOrPermitted } from '../user/account.ts'
import { UserRef } from '../user/schema.ts'
import { AccountDisplay, Locale, TimeZone } from './schema.ts'

const target = { user: UserRef }

export const get = defineOperation({
  name: 'display.get',
  summary: 'Show the time zone and the format of numbers and dates of a user',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  http: 'GET /users/{user}/display',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => AccountDisplay,
  async run(context, input) {
    const { id, email } = await ownOrPermitted(context, 'display.get', input.user)
    return { email, ...(await context.displays.of(id)) }
  },
})

export const update = defineOperation({
  name: 'display.update',
  summary: 'Choose the time zone and the format of numbers and dates of your own account',
  description: 'They are for the pages. The API has times in UTC, as ISO 8601, for everybody.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  http: 'PATCH /users/{user}/display',
  positional: ['user'],
  input: () =>
    z.strictObject({
      ...target,
      timeZone: TimeZone.nullable().optional().describe('Time zone, such as Europe/Zurich; null for UTC'),
      locale: Locale.nullable().optional().describe('Whose format of numbers and dates; null for ISO 8601'),
    }),
  output: () => Done,
  async run(context, { user, ...chosen }) {
    await ownOrPermitted(context, 'display.get', user) // else not even that there is such a user
    const { id } = await ownAccount(context, 'choose a time zone or a format', user)
    await context.displays.set(id, chosen)
    return { id }
  },
})

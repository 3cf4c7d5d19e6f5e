/** A new address of one's own account: it counts once a mail to it has been answered. */
import { WcpError } from '../../contract/errors.ts'
import type { Context } from '../context.ts'
import { conflict } from '../refusals.ts'
import type { Email, User } from './schema.ts'

const mostPerHour = 3

/** Whether somebody has the address is not told: then the link leads nowhere. */
export async function askToVerify(context: Context, what: string, user: User, email: Email): Promise<void> {
  if (!context.canMail)
    conflict(what, 'no mail server is configured', 'Ask an administrator, who can change it without a mail.')
  const anHourAgo = new Date(Date.parse(context.now) - 3_600_000).toISOString()
  if ((await context.mails.countSince(user.id, anHourAgo)) >= mostPerHour)
    throw new WcpError('too_many_requests', `Cannot ${what}: three mails were sent within an hour`, {
      details: { retryAfterSeconds: 3600 },
    })
  await context.mails.queue('verification', email, user.id)
}

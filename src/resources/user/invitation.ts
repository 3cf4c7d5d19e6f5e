/** How a person without a password gets one. */
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'

/** A value that no password hashes to: nobody signs in with it. */
export const noPassword = '!'

/** @returns the link to hand over; null: it was mailed */
export async function invitation(context: Context, user: Id, email: string): Promise<string | null> {
  if (!context.canMail) return context.linkUrl(await context.links.create({ user, purpose: 'invitation', email: null }))
  await context.mails.queue('invitation', email, user)
  return null
}

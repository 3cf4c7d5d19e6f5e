/**
 * Sends what is queued, one after the other, outside of every request: nobody waits for a mail server, and nobody learns
 * from the time of an answer whether there was somebody to write to.
 */
import type { Logger } from 'pino'
import type { SmtpServer } from '../../lib/config.ts'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { message } from './message.ts'
import { sendMail } from './smtp.ts'
import type { QueuedMail } from './store.ts'

export interface MailerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
  /** As configured now; null: mails wait. */
  readonly server: () => SmtpServer | null
  readonly from: () => string
  /** The only source of links (threats C18). */
  readonly baseUrl: () => string
  readonly tickMs?: number | undefined
  readonly now?: () => number
}

const linked = ['invitation', 'password-reset', 'verification'] as const
type Linked = QueuedMail & { readonly kind: (typeof linked)[number] }

function hasLink(mail: QueuedMail): mail is Linked {
  return linked.some((kind) => kind === mail.kind)
}

/** Minutes between the tries; after the last one it has failed. */
const pauses = [1, 5, 15, 60, 240, 1200]
const keptMs = 30 * 86_400_000

export function mailer(options: MailerOptions) {
  const { db, storesOf, log, server, tickMs = 3000, now = Date.now } = options
  let purging: NodeJS.Timeout | undefined

  async function work(): Promise<void> {
    const mails = server() === null ? [] : await storesOf(db).mails.due(20)
    for (const mail of mails) await deliver(mail)
  }

  async function deliver(mail: QueuedMail): Promise<void> {
    const where = server()
    if (where === null) return
    const link = await db.transaction().execute((tx) => linkFor(storesOf(tx), mail))
    if (link === 'nobody') return await storesOf(db).mails.drop(mail.id)
    const host = new URL(options.baseUrl()).hostname
    try {
      const words = message(mail.kind, host, { link: link && `${options.baseUrl()}/link/${link}`, lines: mail.lines })
      await sendMail(where, { from: options.from(), to: mail.to, ...words })
      await storesOf(db).mails.sent(mail.id)
    } catch (err) {
      const pause = pauses[mail.attempts]
      const next = pause === undefined ? null : new Date(now() + pause * 60_000).toISOString()
      const words = err instanceof Error ? err.message : String(err)
      log.warn({ mail: mail.id, kind: mail.kind, attempts: mail.attempts + 1, reason: words }, 'a mail was not sent')
      await storesOf(db).mails.refused(mail.id, words, next)
    }
  }

  /** A new secret for each try: what a mail server has seen and not taken is worth nothing. */
  async function linkFor({ users, links }: Stores, mail: QueuedMail): Promise<string | 'nobody' | null> {
    if (!hasLink(mail)) return null
    const known = await users.credentials(mail.userId ?? mail.to)
    if (known === undefined || !known.maySignIn) return 'nobody'
    const email = mail.kind === 'verification' ? mail.to : null
    return await links.create({ user: known.user.id, purpose: mail.kind, email })
  }

  async function purge(): Promise<void> {
    try {
      await storesOf(db).mails.purgeEndedBefore(new Date(now() - keptMs).toISOString())
      await storesOf(db).links.purgeExpired()
    } catch (err) {
      log.error({ err }, 'old mails and links could not be removed')
    }
  }

  const ticking = ticker(work, tickMs, (err) => log.error({ err }, 'cannot process the queue of mails'))

  return {
    wake(): void {
      void ticking.wake()
    },
    start(): void {
      ticking.start()
      purging = setInterval(() => void purge(), 3_600_000)
    },
    async stop(): Promise<void> {
      clearInterval(purging)
      await ticking.stop()
    },
  }
}

/** One-time links, of a mail or handed over: set a password, show that an address is theirs. */
import type { FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Link } from '../../resources/user/link-store.ts'
import { Password, refuseEmailAsPassword } from '../../resources/user/password.ts'
import { Email } from '../../resources/user/schema.ts'
import type { Db } from '../../store/database.ts'
import { clientAddress } from '../http/client-address.ts'
import { badInput } from '../operations/field-errors.ts'
import { type AuthEvent, recordAuth } from './auth-log.ts'
import { knownPlace, networkOf } from './network.ts'
import type { PasswordHasher } from './password.ts'
import { rateLimit } from './rate-limit.ts'

export interface LinksOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly hasher: PasswordHasher
  readonly canMail: () => boolean
  readonly onMail: () => void
  /** Somebody there asks too often. */
  readonly onRefused: (address: string) => void
}

const hour = 3_600_000

export function links({ db, storesOf, hasher, canMail, onMail, onRefused }: LinksOptions) {
  const perAccount = rateLimit(3, hour)
  const perNetwork = rateLimit(30, hour)
  const record = (tx: Db, request: FastifyRequest, event: AuthEvent) => recordAuth(storesOf, tx, request, event)

  function demandNotTooOften(email: string, address: string): void {
    const network = networkOf(address)
    try {
      perNetwork.enter(network)
      perAccount.enter(`${email} ${network}`)
    } catch (error) {
      onRefused(address)
      throw error
    }
  }

  return {
    /** The same answer after the same work whether anybody has the address: that is found out when the mail is sent. */
    async askForReset(request: FastifyRequest, given: string): Promise<void> {
      if (!canMail())
        throw new WcpError('conflict', 'Cannot send a link: no mail server is configured', {
          help: 'Ask an administrator for a link.',
        })
      const parsed = Email.safeParse(given)
      if (!parsed.success) throw badInput(parsed.error, given, ['email'])
      const email = parsed.data
      demandNotTooOften(email, clientAddress(request))
      await db.transaction().execute(async (tx) => {
        await storesOf(tx).mails.queue('password-reset', email, null)
        await record(tx, request, { action: 'auth.reset', outcome: 'ok', user: null, metadata: { email } })
      })
      onMail()
    },

    /** The purpose of a link; undefined for one that was used, replaced, or has expired. */
    look: (token: string): Promise<Link | undefined> => storesOf(db).links.find(token),

    /** Spends the link, sets the password, and signs the user out everywhere. */
    async setPassword(request: FastifyRequest, token: string, given: string): Promise<void> {
      const link = await storesOf(db).links.find(token)
      if (link === undefined || link.purpose === 'verification') throw over()
      const { email } = await storesOf(db).users.get(link.user)
      const parsed = Password.safeParse(given)
      if (!parsed.success)
        throw new WcpError('bad_input', 'Cannot set the password', {
          fields: [{ field: 'password', problem: parsed.error.issues[0]?.message ?? 'is not accepted' }],
        })
      refuseEmailAsPassword('set the password', email, parsed.data)
      const hash = await hasher.hash(knownPlace(link.user), parsed.data)
      await db.transaction().execute(async (tx) => {
        const stores = storesOf(tx)
        if ((await stores.links.spend(token)) === undefined) throw over()
        await stores.users.setPasswordHash(link.user, hash)
        await stores.users.endSessions(link.user)
        const user = { id: link.user, email, tenant: null }
        const metadata = { by: link.purpose }
        await record(tx, request, { action: 'auth.password', outcome: 'ok', user, metadata })
      })
    },

    /** Spends the link and gives the user the address that it was sent to; the one before is told. */
    async verify(request: FastifyRequest, token: string): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const { links: store, mails, users } = storesOf(tx)
        const link = await store.spend(token)
        if (link === undefined || link.purpose !== 'verification' || link.email === null) throw over()
        await users.lock(link.email)
        if (await users.find(link.email)) throw over()
        const { email: before } = await users.get(link.user)
        await users.update(link.user, { email: link.email })
        await mails.queue('address-changed', before, null)
        const user = { id: link.user, email: link.email, tenant: null }
        await record(tx, request, { action: 'auth.email', outcome: 'ok', user, metadata: {} })
      })
      onMail()
    },
  }
}

export type Links = ReturnType<typeof links>

function over(): WcpError {
  return new WcpError('not_found', 'Cannot use this link: it was used before or has expired', {
    help: 'Ask for a new one.',
  })
}

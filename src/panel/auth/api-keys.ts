/** Programs that act for a user by an API key: who they are, from the key and from what its owner now may. */
import type { Logger } from 'pino'
import { WcpError } from '../../contract/errors.ts'
import { isWithin } from '../../lib/address-range.ts'
import type { ApiKey } from '../../resources/api-key/schema.ts'
import type { Stores } from '../../resources/index.ts'
import { narrowed } from '../../resources/rights.ts'
import type { Db } from '../db/database.ts'
import type { Proof, Session } from '../http/types.ts'
import { mustEnrol, unlessStoreTrouble } from './visitors.ts'

/** Who acts, and what they have shown of it, in place of a browser's session. */
export interface Program {
  readonly actor: Session['actor']
  readonly proof: Proof
}

export interface ApiKeysOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
}

/** The last use is written at most so often, so that reading does not become writing. */
const touchEveryMs = 60_000

export function apiKeys({ db, storesOf, log }: ApiKeysOptions) {
  return {
    /** Rights are read anew each time. @throws `not_signed_in`, in the same words whatever is wrong with the key */
    async identify(token: string, address: string): Promise<Program> {
      const stores = storesOf(db)
      const key = await stores.apiKeys.ofToken(token)
      if (key === undefined) throw refused()
      if (key.addresses.length > 0 && !isWithin(key.addresses, address)) {
        log.warn({ key: key.id, ip: address }, 'an API key was used from an address that it is not for')
        throw refused()
      }
      const owner = await stores.users.credentials(key.userId)
      if (!owner?.maySignIn) throw refused()
      await touch(stores, key).catch(unlessStoreTrouble)
      return {
        actor: {
          kind: 'user',
          id: owner.user.id,
          email: owner.user.email,
          permissions: narrowed(owner.permissions, key.scopes),
          scope: owner.scope,
          key: { id: key.id, name: key.name },
        },
        // Whoever made it had just shown who they are, and said what it is for.
        proof: { session: null, confirmedAt: key.createdAt, mustEnrol: await mustEnrol(stores, owner.user.id, null) },
      }
    },
  }
}

export type ApiKeys = ReturnType<typeof apiKeys>

async function touch({ apiKeys }: Stores, { id, lastUsedAt }: ApiKey): Promise<void> {
  if (lastUsedAt !== null && Date.now() - Date.parse(lastUsedAt) < touchEveryMs) return
  await apiKeys.touch(id)
}

function refused(): WcpError {
  return new WcpError('not_signed_in', 'Cannot take this API key: it is unknown, has expired, or is not for here', {
    help: 'Look at "wcp api-key list", and make a new one where it is missing.',
  })
}

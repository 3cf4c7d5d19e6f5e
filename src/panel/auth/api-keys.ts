/** Programs that act for a user by an API key: who they are, from the key and from what its owner now may. */
import type { Logger } from 'pino'
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import { isWithin } from '../../lib/address-range.ts'
import { isSignedBy } from '../../lib/http-signature.ts'
import type { ApiKey } from '../../resources/api-key/schema.ts'
import { narrowed } from '../../resources/rights.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import type { Proof, Session } from '../http/types.ts'
import { briefMemory } from './brief-memory.ts'
import { replayGuard, type SignedRequest } from './signed-requests.ts'
import { mustEnrol, unlessStoreTrouble } from './visitors.ts'

/** The identity of a program by its API key, in place of a browser's session. */
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

/** For so long a key that was found good is not looked up again, unless the panel changed anything meanwhile. */
const rememberMs = 500

export function apiKeys({ db, storesOf, log }: ApiKeysOptions) {
  const memory = briefMemory<Known>(rememberMs)

  const replays = replayGuard()

  async function lookUp(find: (stores: Stores) => Promise<Found | undefined>): Promise<Known> {
    const stores = storesOf(db)
    const { key, secret } = (await find(stores)) ?? {}
    const owner = key && (await stores.users.credentials(key.userId))
    if (key === undefined || secret === undefined || !owner?.maySignIn) throw refused()
    const { id, name, addresses, createdAt, lastUsedAt } = key
    return {
      id,
      secret,
      addresses,
      usedAt: lastUsedAt === null ? 0 : Date.parse(lastUsedAt),
      program: {
        actor: {
          kind: 'user',
          id: owner.user.id,
          email: owner.user.email,
          permissions: narrowed(owner.permissions, key.scopes),
          scope: owner.scope,
          key: { id, name },
        },
        // Its maker had just shown who they are, and named its scopes.
        proof: { session: null, confirmedAt: createdAt, mustEnrol: await mustEnrol(stores, owner.user.id, null) },
      },
    }
  }

  async function touch(known: Known): Promise<void> {
    const moment = Date.now()
    if (moment - known.usedAt < touchEveryMs) return
    known.usedAt = moment
    await storesOf(db).apiKeys.touch(known.id)
  }

  async function ofToken({ apiKeys }: Stores, token: string): Promise<Found | undefined> {
    const key = await apiKeys.ofToken(token)
    return key && !key.isSigned ? { key, secret: null } : undefined
  }

  async function admit(known: Known, address: string): Promise<Program> {
    if (known.addresses.length > 0 && !isWithin(known.addresses, address)) {
      log.warn({ key: known.id, ip: address }, 'an API key was used from an address that it is not for')
      throw refused()
    }
    await touch(known).catch(unlessStoreTrouble)
    return known.program
  }

  return {
    /** @throws `not_signed_in`, in the same words whatever is wrong with the key */
    async identify(token: string, address: string): Promise<Program> {
      return await admit(await memory.of(token, () => lookUp((stores) => ofToken(stores, token))), address)
    },
    /** The same for a request that is signed with a key instead of bringing it. */
    async identifySigned(signed: SignedRequest, address: string): Promise<Program> {
      const { keyId, base, signature } = signed
      const known = await memory.of(`signed ${keyId}`, () => lookUp(({ apiKeys }) => apiKeys.ofKeyId(keyId)))
      if (known.secret === null || !isSignedBy(known.secret, base, signature)) throw refused()
      const program = await admit(known, address)
      replays.demandNew(signed)
      return program
    },
    /** To be called after each change: its effect on keys is there at the next request. */
    forget: () => memory.forget(),
  }
}

export type ApiKeys = ReturnType<typeof apiKeys>

/** `secret`: what signs; null for a key that is sent. */
interface Found {
  readonly key: ApiKey
  readonly secret: Buffer | null
}

interface Known {
  readonly id: Id
  readonly secret: Buffer | null
  readonly addresses: readonly string[]
  readonly program: Program
  /** Milliseconds; what the store was told last. */
  usedAt: number
}

function refused(): WcpError {
  return new WcpError('not_signed_in', 'Cannot accept this API key: it is unknown, has expired, or is not for here', {
    help: 'Look at "wcp api-key list", and make a new one where it is missing.',
  })
}

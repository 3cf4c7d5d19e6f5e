/** Hashing takes a quarter of a second, and a transaction holds up all others: so it is done between two runs of it. */
import type { Actor } from '../../resources/actor.ts'
import { knownPlace } from '../auth/network.ts'
import type { PasswordHasher } from '../auth/password.ts'

export interface Hashes {
  of(password: string): string
}

/** Runs `work` again for each password that it needs the hash of. */
export async function withHashes<T>(
  hasher: PasswordHasher,
  actor: Actor,
  work: (hashes: Hashes) => Promise<T>,
): Promise<T> {
  const place = knownPlace(actor.kind === 'root' ? 'root' : (actor.impersonator ?? actor).id)
  const known = new Map<string, string>()
  const hashes: Hashes = {
    of(password) {
      const hash = known.get(password)
      if (hash === undefined) throw new HashWanted(password)
      return hash
    },
  }
  for (;;) {
    try {
      return await work(hashes)
    } catch (error) {
      if (!(error instanceof HashWanted) || known.has(error.password)) throw error
      known.set(error.password, await hasher.hash(place, error.password))
    }
  }
}

export const noHashes: Hashes = {
  of: () => {
    throw new Error('passwords are hashed by operations of effect "write" only')
  },
}

class HashWanted extends Error {
  readonly password: string
  constructor(password: string) {
    super('a password is to be hashed')
    this.password = password
  }
}

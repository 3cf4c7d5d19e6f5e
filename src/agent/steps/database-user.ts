import type { DatabaseEngine, PasswordVerifier } from '../../contract/database.ts'
import type { DatabaseServer, DatabaseUser, FoundUser } from '../os/databases/database-server.ts'
import { type Difference, type Step, step } from './step.ts'

export interface WantedUser extends DatabaseUser {
  readonly engine: DatabaseEngine
}

type Who = Pick<DatabaseUser, 'name' | 'guest'>

/** null: there was none, or one that signed in in a way that is not ours. */
type Former = { readonly verifier: PasswordVerifier; readonly isOpen: boolean } | null

/** The user of a database signs in with this password and has the rights of its database alone; or signs in no more, and nobody is. */
export function databaseUser({ engine, ...wanted }: WantedUser): Step {
  const { name, isOpen, guest } = wanted
  const whose = wordsOf(wanted)
  return step<Former>({
    name: isOpen ? whose : `${whose} is locked`,
    check: async ({ databases }) => differs(await databases[engine].user(name, guest), wanted),
    capture: async ({ databases }) => former(await databases[engine].user(name, guest)),
    apply: ({ databases }) => databases[engine].putUser(wanted),
    undo: ({ databases }, before) => putBack(databases[engine], { name, guest }, before),
  })
}

/** Nobody of the name is there any more. */
export function absentDatabaseUser({ engine, name, guest }: Omit<WantedUser, 'verifier' | 'isOpen'>): Step {
  return step<Former>({
    name: `no ${wordsOf({ name, guest })}`,
    async check({ databases }) {
      return (await databases[engine].user(name, guest)) === undefined ? undefined : { action: 'remove', diff: null }
    },
    capture: async ({ databases }) => former(await databases[engine].user(name, guest)),
    apply: ({ databases }) => databases[engine].dropUser(name),
    undo: ({ databases }, before) => putBack(databases[engine], { name, guest }, before),
  })
}

function wordsOf({ name, guest }: Who): string {
  return guest === undefined ? `user of database ${name}` : `user ${name} of database ${guest.database}`
}

function differs(found: FoundUser | undefined, wanted: DatabaseUser): Difference | undefined {
  if (found === undefined) return { action: 'create', diff: null }
  const said = [
    ...(found.verifier === wanted.verifier ? [] : ['another password']),
    ...(found.isExact ? [] : ['other rights or bounds']),
    ...(found.isOpen === wanted.isOpen ? [] : [found.isOpen ? 'may sign in' : 'is locked']),
    ...(wanted.isOpen || found.sessions === 0 ? [] : [`${found.sessions} connections`]),
  ]
  return said.length === 0 ? undefined : { action: 'change', diff: said.join(', ') }
}

function former(found: FoundUser | undefined): Former {
  if (found === undefined || found.verifier === null) return null
  return { verifier: found.verifier, isOpen: found.isOpen }
}

async function putBack(server: DatabaseServer, who: Who, before: Former): Promise<void> {
  if (before === null) await server.dropUser(who.name)
  else await server.putUser({ ...who, ...before })
}

/** A database server of the machine as steps see it: databases and the one user of each. */
import type { Collation, DatabaseAccess, DatabaseName, PasswordVerifier } from '../../../contract/database.ts'

/** Of one user: a tenant who opens more waits for himself. */
export const mostConnections = 40

/** Of a user whose database has another name than itself. */
export interface Guest {
  readonly database: DatabaseName
  readonly access: DatabaseAccess
}

/** Signs in on this machine alone. It has every right in the database of its name, or a guest's in another one; none elsewhere. */
export interface DatabaseUser {
  readonly name: DatabaseName
  readonly verifier: PasswordVerifier
  /** False: nobody signs in, and nobody is. */
  readonly isOpen: boolean
  readonly guest?: Guest | undefined
}

export interface FoundDatabase {
  readonly collation: string
  /** Tables, views, routines, triggers and events: fewer than before when its removal was interrupted. */
  readonly objects: number
}

export interface FoundUser {
  /** null: it signs in in another way. */
  readonly verifier: PasswordVerifier | null
  readonly isOpen: boolean
  /** Its rights and bounds are those of a `DatabaseUser`. */
  readonly isExact: boolean
  /** Open connections. */
  readonly sessions: number
}

export interface ServerStatus {
  readonly version: string
  /** Open ones, of all that it allows. */
  readonly connections: number
  readonly mostConnections: number
}

/** Who dumps and loads: the tenant's own uid, as a dump is a program (C10). */
export interface Copying {
  readonly user: DatabaseUser
  readonly as: { readonly uid: number; readonly gid: number }
  /** Descriptor of the dump. */
  readonly file: number
}

/** Every call throws `unavailable` while the server does not answer. What changes something may be called again. */
export interface DatabaseServer {
  status(): Promise<ServerStatus>
  /** Whether somebody has the name, as a database or as a user from wherever. */
  knows(name: DatabaseName): Promise<boolean>
  database(name: DatabaseName): Promise<FoundDatabase | undefined>
  /** Nothing is done where it exists. */
  createDatabase(name: DatabaseName, collation: Collation): Promise<void>
  dropDatabase(name: DatabaseName): Promise<void>
  /** @param guest what its rights shall be, where not those in the database of its name */
  user(name: DatabaseName, guest?: Guest): Promise<FoundUser | undefined>
  /** Makes it, or makes it so. Connections of one that is closed are ended. */
  putUser(user: DatabaseUser): Promise<void>
  dropUser(name: DatabaseName): Promise<void>
  /** Bytes that the database occupies by the server's own count; null: there is none. */
  size(name: DatabaseName): Promise<number | null>
  /** Writes all that is in the user's database. The user is left closed, whatever happens. */
  dump(copying: Copying): Promise<void>
  /** Puts what a dump holds into the user's database, with no more rights than the user's. Leaves it closed. */
  load(copying: Copying): Promise<void>
}

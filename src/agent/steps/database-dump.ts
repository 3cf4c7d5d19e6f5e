/**
 * The contents of a database on their way into a dump and back. Its user is locked meanwhile, by a step before: what is
 * dumped is all there is, and the dump and the database hold the same until one of them goes.
 */
import type { Collation, DatabaseEngine } from '../../contract/database.ts'
import type { DatabaseUser } from '../os/databases/database-server.ts'
import type { Machine } from '../os/machine.ts'
import { type Step, step } from './step.ts'

export interface Dumped {
  readonly engine: DatabaseEngine
  readonly collation: Collation
  readonly user: DatabaseUser
  readonly as: { readonly uid: number; readonly gid: number }
  /** In a directory of root's alone. */
  readonly path: string
}

/** The dump is there. It appears when it is whole. */
export function dumpedDatabase(one: Dumped): Step {
  return step<null>({
    name: `dump of database ${one.user.name}`,
    async check(machine) {
      return (await isThere(machine, one.path)) ? undefined : { action: 'create', diff: null }
    },
    capture: async () => null,
    apply: (machine) => dump(machine, one),
    undo: ({ files }) => files.remove(one.path),
  })
}

/** The database is gone. It comes back from the dump. */
export function droppedDatabase(one: Dumped): Step {
  const { engine, user } = one
  return step<{ readonly objects: number } | null>({
    name: `no database ${user.name}`,
    async check({ databases }) {
      return (await databases[engine].database(user.name)) === undefined ? undefined : { action: 'remove', diff: null }
    },
    async capture({ databases }) {
      const found = await databases[engine].database(user.name)
      return found === undefined ? null : { objects: found.objects }
    },
    apply: ({ databases }) => databases[engine].dropDatabase(user.name),
    async undo(machine, before) {
      if (before === null) return
      const found = await machine.databases[engine].database(user.name)
      if (found?.objects !== before.objects) await loadAnew(machine, one)
    },
  })
}

/** All that the dump holds is in the database; the dump has another name from then on, by which that is seen. */
export function loadedDatabase(one: Dumped): Step {
  const { engine, collation, user, path } = one
  return step<null>({
    name: `contents of database ${user.name}`,
    async check(machine) {
      return (await isThere(machine, path)) ? { action: 'run', diff: null } : undefined
    },
    capture: async () => null,
    async apply(machine) {
      if (!(await isThere(machine, path))) return
      await loadAnew(machine, one)
      await machine.files.move(path, loaded(path))
    },
    async undo(machine) {
      if (await isThere(machine, loaded(path))) await machine.files.move(loaded(path), path)
      else if (!(await isThere(machine, path))) await dump(machine, one)
      await machine.databases[engine].dropDatabase(user.name)
      await machine.databases[engine].createDatabase(user.name, collation)
    },
  })
}

/** Comes last: what is undone after it is dumped anew. */
export function absentDump({ user, path }: Pick<Dumped, 'user' | 'path'>): Step {
  return step<null>({
    name: `no dump of database ${user.name}`,
    async check(machine) {
      const isLeft = (await isThere(machine, path)) || (await isThere(machine, loaded(path)))
      return isLeft ? { action: 'remove', diff: null } : undefined
    },
    capture: async () => null,
    apply: ({ files }) => files.remove(loaded(path)),
    async undo() {},
  })
}

/** Database, user and dump are gone for good. */
export function purgedDatabase({ engine, user: { name } }: Pick<Dumped, 'engine' | 'user'>): Step {
  return step<null>({
    name: `purge of database ${name}`,
    async check({ databases }) {
      const isGone = (await databases[engine].database(name)) === undefined
      return isGone ? undefined : { action: 'remove', diff: 'for good' }
    },
    capture: async () => null,
    apply: ({ databases }) => databases[engine].dropDatabase(name),
    async undo() {},
  })
}

function loaded(path: string): string {
  return `${path}.loaded`
}

async function isThere({ files }: Machine, path: string): Promise<boolean> {
  return (await files.look(path)).type !== 'absent'
}

async function dump({ files, databases }: Machine, { engine, user, as, path }: Dumped): Promise<void> {
  const own = { mode: 0o600, uid: 0, gid: 0 }
  await files.writeBy(path, own, (file) => databases[engine].dump({ user, as, file }))
}

async function loadAnew({ files, databases }: Machine, { engine, collation, user, as, path }: Dumped): Promise<void> {
  await databases[engine].dropDatabase(user.name)
  await databases[engine].createDatabase(user.name, collation)
  await files.readBy(path, (file) => databases[engine].load({ user, as, file }))
}

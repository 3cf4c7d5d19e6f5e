/** Runs a server's own program that dumps or loads a database, as the tenant: neither as root nor as the administrator. */
import type { DatabaseEngine } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import { newDatabasePassword, verifierOf } from '../../../lib/database-password.ts'
import { literalEnv, spawnService } from '../exec.ts'
import type { Copying, DatabaseUser } from './database-server.ts'

export interface CopyCommand {
  readonly file: string
  readonly argv: readonly string[]
  readonly stdio: readonly [number | 'ignore', number | 'ignore']
  /** Seen by the tenant's own processes alone. */
  readonly env: (password: string) => Readonly<Record<string, string>>
}

/** The user has a password of its own for as long as the program runs, and is closed before and after. */
export async function copyByTenant(
  engine: DatabaseEngine,
  put: (user: DatabaseUser) => Promise<void>,
  { user, as }: Omit<Copying, 'file'>,
  { file, argv, stdio, env }: CopyCommand,
): Promise<void> {
  const password = newDatabasePassword()
  const closed = { ...user, isOpen: false }
  await put(closed) // ends a program that an earlier run of the agent has left
  await put({ ...user, verifier: verifierOf(engine, password), isOpen: true })
  try {
    const options = { stdio: [...stdio, 'words'] as const, as, env: { ...literalEnv, ...env(password) } }
    const child = await spawnService(file, argv, options)
    if ((await child.ended) === 0) return
    const said = child.words().trim()
    const last = said.split('\n').at(-1) ?? ''
    throw new WcpError('machine_failed', `Cannot copy database "${user.name}": ${last}`, { cause: new Error(said) })
  } finally {
    await put(closed)
  }
}

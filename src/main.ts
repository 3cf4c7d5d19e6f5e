/** First stage of the executable: answers what needs no code, picks the role, and loads only that role. */
import { inspect } from 'node:util'
import { type AssetSource, assetText, isPacked, readAssetsFrom } from './program/assets.ts'
import { loadPackedRole } from './program/packed-role.ts'
import { requireFromSource } from './program/require-from-source.ts'
import { type Choice, pickRole, type Role, type RoleModule, roleNames, roleSources } from './program/roles.ts'
import { version } from './program/version.ts'

async function boot(): Promise<void> {
  if (!isPacked()) readAssetsFrom(() => requireFromSource('../tools/assets-source.ts') as AssetSource)
  const choice = pickRole(process.argv0, process.argv.slice(2))
  if (!isDaemon(choice)) process.stdout.on('error', endOnClosedPipe)
  if (choice.kind === 'version') process.stdout.write(`${version()}\n`)
  if (choice.kind === 'notices') process.stdout.write(assetText('NOTICES.txt'))
  if (choice.kind === 'unknown') return refuse(choice.word)
  if (choice.kind !== 'role') return

  const { main } = isPacked() ? loadPackedRole(choice.role) : await loadSourceRole(choice.role)
  const exitCode = await main(choice.args)
  if (typeof exitCode === 'number') process.exitCode = exitCode
}

/** The specifier is computed, so that the bundler leaves the roles out of this file's bundle. */
async function loadSourceRole(role: Role): Promise<RoleModule> {
  return await import(new URL(roleSources[role], import.meta.url).href)
}

function isDaemon(choice: Choice): boolean {
  return choice.kind === 'role' && ['agent', 'panel', 'waker', 'web-log'].includes(choice.role)
}

/** `wcp … | head` ends quietly, as other commands do. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
}

function refuse(word: string): void {
  process.stderr.write(`Cannot start "${word}": the roles are ${roleNames.join(', ')}; people want "wcp"\n`)
  process.exitCode = 2
}

boot().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`)
  process.exit(1)
})

/** The web server's part of a start that comes before all others: under which account its workers run, and how many connections they hold. */
import { readFileSync } from 'node:fs'
import type { Log } from './log.ts'
import { accountNames, type SystemAccounts } from './os/accounts.ts'
import { errorCode } from './os/error-code.ts'
import type { Files } from './os/files.ts'
import type { Layout } from './os/layout.ts'
import { reloadRunningNginx, testNginxConfig } from './os/nginx.ts'
import { signal } from './os/processes.ts'
import { hasOwnWorkers, withOurNeeds } from './render/nginx-main.ts'

/** Before keys and sockets change hands. What nginx refuses is put back: its workers stay who they were, and so do the groups. */
export async function prepareWebServer({ files, places }: { files: Files; places: Layout }, log: Log): Promise<void> {
  const before = await files.look(places.nginxConfig)
  if (before.type !== 'file') return void log.warn({}, "nginx's own file is not a plain file; it stays as it is")
  const text = Buffer.from(before.base64, 'base64').toString('utf8')
  const wanted = withOurNeeds(text)
  if (!hasOwnWorkers(wanted))
    log.warn({}, `nginx's workers do not run as ${accountNames.workers}: others may read TLS keys`)
  if (wanted === text) return
  await files.writeFile(places.nginxConfig, wanted, before)
  try {
    await testNginxConfig(places)
    await reloadRunningNginx(places, async (master) => void signal(master, 'SIGHUP'))
  } catch (error) {
    await files.putBack(places.nginxConfig, before)
    log.error({ err: error }, 'the web server rejected the change of its own file, which was restored')
  }
}

/** The accounts as nginx's own file has them: where its workers run as another, keys and sockets are that group's. */
export function withActualWorkers(accounts: SystemAccounts, { nginxConfig }: Layout): SystemAccounts {
  if (hasOwnWorkers(textOf(nginxConfig))) return accounts
  return { ...accounts, workers: { name: accountNames.web, gid: accounts.webGid } }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}

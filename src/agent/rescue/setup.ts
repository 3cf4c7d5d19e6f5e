/** Root's word that the panel may be set up from the network: a code for one person and one day. */
import { randomBytes } from 'node:crypto'
import { WcpError } from '../../contract/errors.ts'
import type { RescueReport, SetupWord } from '../../contract/rescue.ts'
import { digestOf } from '../jobs/setup-window.ts'
import { createFiles } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'
import { readConfig } from './machine.ts'

const openHours = 24

/** A later code replaces an earlier one. */
export async function openSetup(places: Layout): Promise<RescueReport> {
  const files = createFiles({ root: places.root, owner: 0 })
  if (files.existsNow(places.setupClosed)) {
    throw new WcpError('conflict', 'Cannot open setup: it is closed for good', {
      help: 'Sign in as an administrator; "wcp emergency create-admin" makes one where none is left.',
    })
  }
  const code = randomBytes(16).toString('base64url')
  const until = new Date(Date.now() + openHours * 3_600_000).toISOString()
  const word: SetupWord = { digest: digestOf(code).toString('hex'), until }
  await files.writeFile(places.setupWord, `${JSON.stringify(word)}\n`, { mode: 0o600, uid: 0, gid: 0 })
  const path = `/bootstrap/${code}`
  return {
    did: [
      `Setup is open from the network until ${until}, once, at this address:`,
      `  ${readConfig(places).baseUrl}${path}`,
    ],
    next: ["Open it in a browser, with this machine's address in place of its name where that does not lead here."],
    setup: { path, until },
  }
}

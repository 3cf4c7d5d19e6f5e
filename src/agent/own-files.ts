/** What of the files that are no tenant's can be put back while the daemon runs, and adopted. */
import type { OwnFilesVerb } from '../contract/wire.ts'
import type { Config } from '../lib/config.ts'
import { type AdoptableFile, textToAdopt } from './adopted-text.ts'
import { foreignProgramTexts } from './drift/program-drift.ts'
import type { Log } from './log.ts'
import type { Machine } from './os/machine.ts'
import { closeKeys, openGate, type Preparation, prepareDirectories } from './prepare.ts'
import { adoption } from './steps/adoptable-file.ts'
import { prepareWebServer } from './web-server.ts'
import { prepareWebSite, suspendedPage } from './web-site.ts'

interface Ground {
  readonly machine: Machine
  readonly preparation: Preparation
  readonly config: Config
  readonly log: Log
}

export async function doOwnFiles({ machine, preparation, config, log }: Ground, what: OwnFilesVerb, by: string) {
  if (what === 'adopt_program') return await adoptProgram(machine, by)
  if (what === 'adopt') return await adoptPage(machine, by)
  if (what === 'repair_all') await machine.files.remove(suspendedPage(machine.places).record)
  await prepareWebServer(preparation, log)
  await prepareDirectories(preparation)
  await openGate(preparation, machine.services)
  await closeKeys(preparation)
  await prepareWebSite(machine, config, log)
}

/** The page of suspended sites is the only one: everything else keeps sites, tenants or root apart. */
export async function adoptPage(machine: Machine, by: string): Promise<void> {
  await adoptText(machine, suspendedPage(machine.places), by)
}

/** Root alone could write them: whoever adopts them says that it was meant. */
async function adoptProgram(machine: Machine, by: string): Promise<void> {
  for (const file of await foreignProgramTexts(machine)) await adoptText(machine, file, by)
}

async function adoptText(machine: Machine, file: AdoptableFile, by: string): Promise<void> {
  const text = await textToAdopt(machine, file)
  await machine.files.makeDirectory(machine.places.adopted, { mode: 0o700, uid: 0, gid: 0 })
  await adoption(file, { by, at: machine.now().toISOString(), text }).apply(machine, null)
}

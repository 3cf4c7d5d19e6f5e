/** Drift of the facts that each start of the agent brings about for the web server: who runs its workers, who reads the keys. */
import { join } from 'node:path'
import type { DriftReport } from '../../contract/wire.ts'
import { checkAll } from '../jobs/plan.ts'
import type { Machine } from '../os/machine.ts'
import { withOurNeeds } from '../render/nginx-main.ts'
import { directory } from '../steps/directory.ts'
import { secretFile } from '../steps/secret-file.ts'
import type { Step } from '../steps/step.ts'
import { textFile } from '../steps/text-file.ts'

/** @param workersGid group of the workers, as nginx's own file has them */
export async function webServerDrift(machine: Machine, workersGid: number): Promise<DriftReport> {
  const changes = await checkAll(await facts(machine, workersGid), machine)
  const different = changes.filter(({ action }) => action !== 'same')
  return different.length === 0 ? [] : [{ resource: 'web server', changes: different }]
}

async function facts({ files, places }: Machine, workersGid: number): Promise<readonly Step[]> {
  const key = join(places.web.defaultTls, places.web.keyFile)
  const own = { uid: 0, gid: workersGid }
  const main = await files.readText(places.nginxConfig)
  return [
    directory({ path: places.web.defaultTls, mode: 0o750, ...own }),
    secretFile({ path: key, text: (await files.readText(key)) ?? '', mode: 0o640, ...own, aside: `${key}.former` }),
    ...(main === undefined ? [] : [textFile({ path: places.nginxConfig, text: withOurNeeds(main), ...rootsOwn })]),
  ]
}

const rootsOwn = { mode: 0o644, uid: 0, gid: 0 }

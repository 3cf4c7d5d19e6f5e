/** Drift of the facts that each start of the agent brings about for the web server: its configuration, who runs its workers, who reads the keys. */
import { join } from 'node:path'
import type { Change, DriftReport } from '../../contract/wire.ts'
import { checkAll } from '../jobs/plan.ts'
import type { Machine } from '../os/machine.ts'
import { withOurNeeds } from '../render/nginx-main.ts'
import { keptTexts } from '../replaced-text.ts'
import { directory } from '../steps/directory.ts'
import { secretFile } from '../steps/secret-file.ts'
import type { Step } from '../steps/step.ts'
import { type TextFile, textFile } from '../steps/text-file.ts'
import { unifiedDiff } from '../unified-diff.ts'

/**
 * @param workersGid group of the workers, as nginx's own file has them
 * @param texts files that are wholly ours
 */
export async function webServerDrift(
  machine: Machine,
  workersGid: number,
  texts: readonly TextFile[],
): Promise<DriftReport> {
  const changes = await checkAll([...(await facts(machine, workersGid)), ...texts.map(textFile)], machine)
  const different = changes.filter(({ action }) => action !== 'same')
  for (const text of texts) different.push(...(await putBack(machine, text)))
  return different.length === 0 ? [] : [{ resource: 'web server', changes: different }]
}

async function facts({ files, places }: Machine, workersGid: number): Promise<readonly Step[]> {
  const key = join(places.web.defaultTls, places.web.keyFile)
  const own = { uid: 0, gid: workersGid }
  const main = await files.readText(places.nginxConfig)
  return [
    ...rootsPlaces(places).map((path) => directory({ path, mode: 0o700, uid: 0, gid: 0 })),
    directory({ path: places.web.defaultTls, mode: 0o750, ...own }),
    secretFile({ path: key, text: (await files.readText(key)) ?? '', mode: 0o640, ...own, aside: `${key}.former` }),
    ...(main === undefined ? [] : [textFile({ path: places.nginxConfig, text: withOurNeeds(main), ...rootsOwn })]),
  ]
}

/** Nobody but root ever enters these. */
function rootsPlaces({ web, customers }: Machine['places']): readonly string[] {
  return [web.trash, customers.trash]
}

/** What an operator had written into a file of ours, until he takes the copy away. */
async function putBack(machine: Machine, { path, text }: TextFile): Promise<Change[]> {
  const kept = await keptTexts(machine, path)
  return await Promise.all(
    kept.map(async (copy) => ({
      step: `file ${path} was changed by hand and put back; take ${copy} away when it is not needed any more`,
      action: 'change' as const,
      diff: unifiedDiff(path, text, await machine.files.readText(copy)),
    })),
  )
}

const rootsOwn = { mode: 0o644, uid: 0, gid: 0 }

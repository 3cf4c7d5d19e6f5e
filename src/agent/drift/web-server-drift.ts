/** Drift of the facts that each start of the agent brings about for the web server: its configuration, who runs its workers, who reads the keys. */
import { join } from 'node:path'
import type { Change, DriftReport } from '../../contract/wire.ts'
import { type AdoptableFile, adoptionsOf } from '../adopted-text.ts'
import type { Ownership } from '../os/files.ts'
import type { Machine } from '../os/machine.ts'
import { withOurNeeds } from '../render/nginx-main.ts'
import { keptTexts } from '../replaced-text.ts'
import { ownFile } from '../steps/adoptable-file.ts'
import { directory } from '../steps/directory.ts'
import { secretFile } from '../steps/secret-file.ts'
import type { Step } from '../steps/step.ts'
import { type TextFile, textFile } from '../steps/text-file.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { differences } from './drift.ts'

export interface OwnPlaces {
  /** With mode and owner, parents before children. */
  readonly directories: readonly (readonly [path: string, ownership: Ownership])[]
  /** Files that are wholly ours. */
  readonly texts: readonly (TextFile | AdoptableFile)[]
}

export async function webServerDrift(machine: Machine, own: OwnPlaces): Promise<DriftReport> {
  const different = await differences([...(await facts(machine, own)), ...own.texts.map(ownFile)], machine)
  for (const text of own.texts) {
    different.push(...(await putBack(machine, text)))
    if ('record' in text) different.push(...(await adoptionsOf(machine, text)))
  }
  return different.length === 0 ? [] : [{ resource: 'web server', changes: different }]
}

async function facts({ files, places, accounts }: Machine, { directories }: OwnPlaces): Promise<readonly Step[]> {
  const key = join(places.web.defaultTls, places.web.keyFile)
  const own = { uid: 0, gid: accounts.workersGid }
  const main = await readable(files, places.nginxConfig)
  // open where tenants have no views of their own, which is not known here
  const asOpened = async (path: string) => {
    const gate = path === places.customers.root ? await files.look(path).catch(() => undefined) : undefined
    return gate?.type === 'directory' && gate.mode === 0o711 && gate.gid === 0 ? { mode: 0o711, gid: 0 } : {}
  }
  return [
    ...(await Promise.all(
      directories
        .filter(([path]) => !path.startsWith(`${places.run}/`))
        .map(async ([path, ownership]) => directory({ path, ...ownership, ...(await asOpened(path)) })),
    )),
    secretFile({ path: key, text: (await readable(files, key)) ?? '', mode: 0o640, ...own, aside: `${key}.former` }),
    ...(main === undefined ? [] : [textFile({ path: places.nginxConfig, text: withOurNeeds(main), ...rootsOwn })]),
  ]
}

/** Where a directory above it is wrong, that is what the look tells. */
function readable(files: Machine['files'], path: string): Promise<string | undefined> {
  return files.readText(path).catch(() => undefined)
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

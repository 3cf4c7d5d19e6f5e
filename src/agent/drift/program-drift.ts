/**
 * Drift of what the installer puts in place: the program's own units, what others set beside them, and the files around them.
 * The root side may not write there, so each difference is told with what ends it.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Change, DriftReport } from '../../contract/wire.ts'
import { assetNames, assetText } from '../../program/assets.ts'
import { type AdoptableFile, adoptedText, adoptionsOf } from '../adopted-text.ts'
import { failureOf } from '../jobs/failure.ts'
import type { Layout } from '../os/layout.ts'
import type { Machine } from '../os/machine.ts'
import { ownershipDiffers } from '../steps/entry-step.ts'
import { textFile } from '../steps/text-file.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { differences } from './drift.ts'

type Ground = Pick<Machine, 'files' | 'places'>

/** Nothing where the program was not installed, as in a checkout. */
export async function programDrift(machine: Machine): Promise<DriftReport> {
  const { places } = machine
  if (!existsSync(places.executable)) return []
  const changes = [
    ...(await fileChanges(machine)),
    ...(await settingChanges(machine).catch(notSeen)),
    ...[dirname(dirname(places.executable)), dirname(places.executable), places.executable].flatMap(modeChange),
    ...commandChange(places),
    ...enabledChanges(places),
  ]
  return changes.length === 0 ? [] : [{ resource: 'program', changes }]
}

/** Whatever of the program has another text than this version brings, to be adopted. */
export async function foreignProgramTexts(machine: Ground): Promise<readonly AdoptableFile[]> {
  const all = [...installedFiles(machine.places), ...(await unitSettings(machine))]
  const texts = await Promise.all(all.map(({ path }) => machine.files.readText(path).catch(() => undefined)))
  return all.filter(({ text }, index) => texts[index] !== undefined && texts[index] !== text)
}

function notSeen(error: unknown): Change[] {
  const step = 'settings beside the units'
  return [{ step, action: 'change', diff: failureOf(error, step).message }]
}

const remedy = 'install.sh of this version puts it back'

async function fileChanges(machine: Machine): Promise<Change[]> {
  const changes: Change[] = []
  for (const file of installedFiles(machine.places)) {
    const wanted = (await isAdopted(machine, file)) ? await adoptedText(machine, file) : file
    const found = await differences([textFile({ ...file, text: wanted?.text ?? file.text })], machine)
    changes.push(...found.map((change) => ({ ...change, step: `${change.step}: ${remedy}` })))
    if (wanted !== file) changes.push(...(await adoptionsOf(machine, file)))
  }
  return changes
}

async function settingChanges(machine: Machine): Promise<Change[]> {
  const changes: Change[] = []
  for (const file of await unitSettings(machine)) {
    const text = await machine.files.readText(file.path)
    if (await isAdopted(machine, file)) {
      changes.push(...(await adoptionsOf(machine, file)))
      continue
    }
    const unit = basename(dirname(file.path)).slice(0, -'.d'.length)
    const step = `file ${file.path} changes ${unit}: take it away, or adopt it`
    changes.push({ step, action: 'remove', diff: unifiedDiff(file.path, text, undefined) })
  }
  return changes
}

/** A text that was put back since is not adopted any more. */
async function isAdopted(machine: Ground, file: AdoptableFile): Promise<boolean> {
  const adopted = await adoptedText(machine, file)
  return adopted !== undefined && adopted.text === (await machine.files.readText(file.path))
}

function installedFiles(places: Layout): readonly AdoptableFile[] {
  const prefix = 'systemd/'
  const isSystemd = existsSync(places.systemdRun)
  const others: Readonly<Record<string, string>> = places.installed
  return assetNames(prefix)
    .map((asset) => asset.slice(prefix.length))
    .filter((name) => name !== 'wcpd.init' || !isSystemd)
    .map((name) => [name, others[name] ?? (isUnit(name) ? join(String(places.units[0]), name) : undefined)] as const)
    .flatMap(([name, path]) => (path === undefined ? [] : [{ name, path }]))
    .map(({ name, path }) => ({
      path,
      text: assetText(`${prefix}${name}`),
      mode: /^wcpd(-supervise|-session|\.init)$/.test(name) ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      record: recordOf(places, name),
    }))
}

function isUnit(name: string): boolean {
  return /\.(service|socket|slice)$/.test(name)
}

/** Of a unit of ours, or of all those of tenants. */
const settingsOfOurs = /^wcpd?(-[a-z0-9-]*)?\.(service|socket|slice)\.d$/

/** Files beside our units that systemd reads with them (systemd.unit(5)). */
async function unitSettings({ files, places }: Ground): Promise<readonly AdoptableFile[]> {
  const found: AdoptableFile[] = []
  for (const folder of places.unitSettings)
    for (const name of (await files.list(folder)).filter((name) => settingsOfOurs.test(name)))
      for (const file of (await files.list(join(folder, name))).filter((file) => file.endsWith('.conf'))) {
        const path = join(folder, name, file)
        const record = recordOf(places, path.slice(places.root.length))
        found.push({ path, text: '', mode: 0o644, uid: 0, gid: 0, record })
      }
  return found
}

function recordOf({ adopted }: Layout, name: string): string {
  return join(adopted, `program-${name.replaceAll('/', '-')}`)
}

function modeChange(path: string): Change[] {
  const { mode, uid, gid } = lstatSync(path)
  const said = ownershipDiffers({ mode: mode & 0o7777, uid, gid }, { mode: 0o755, uid: 0, gid: 0 })
  return said === undefined ? [] : [{ step: `${path}: ${remedy}`, action: 'change', diff: said }]
}

function commandChange({ command, executable }: Layout): Change[] {
  const target = linkAt(command)
  if (target === executable) return []
  const diff = `to ${target ?? 'nothing'} instead of ${executable}`
  return [{ step: `link ${command}: ${remedy}`, action: 'change', diff }]
}

function linkAt(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined
}

function enabledChanges({ systemdRun, enabledUnits }: Layout): Change[] {
  if (!existsSync(systemdRun)) return []
  return enabledUnits
    .filter((path) => linkAt(path) === undefined)
    .map((path) => ({
      step: `${basename(path)} is not started at boot: systemctl enable ${basename(path)}`,
      action: 'create',
      diff: null,
    }))
}

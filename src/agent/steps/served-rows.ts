/** Sites' rows in the maps of the web server, and that it has read them. */
import { asWcpError, WcpError } from '../../contract/errors.ts'
import type { Fqdn } from '../../contract/values.ts'
import type { Entry } from '../os/files.ts'
import type { Machine } from '../os/machine.ts'
import { type RowsOfSite, rowMaps, siteRows } from '../render/site-rows.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { ownershipDiffers } from './entry-step.ts'
import { type Difference, type Step, step } from './step.ts'

/** `rows`: null, or settings that are all defaults, for a site that has none there. */
export interface ServedSettings {
  readonly fqdn: Fqdn
  readonly rows: RowsOfSite | null
}

interface RowFile {
  readonly path: string
  readonly text: string | undefined
}

type Before = Readonly<Record<string, Entry>>

const own = { mode: 0o600, uid: 0, gid: 0 }

/**
 * Rows are in force when the web server has read them: that it has not yet, is written down before the first of them
 * changes, and taken back when it has. So whoever comes after a crash reads them again.
 */
export function servedRows(sites: readonly ServedSettings[]): Step {
  const [first] = sites
  const filesOf = (machine: Machine) => sites.flatMap((one) => rowFiles(machine, one))
  const owedOf = ({ places }: Machine) => sites.map(({ fqdn }) => places.web.rowsOwed(fqdn))
  return step<Before>({
    name: sites.length === 1 ? `settings of ${first?.fqdn} in the web server` : 'settings of sites in the web server',
    async check(machine) {
      for (const file of filesOf(machine)) {
        const found = differs(await machine.files.look(file.path), file)
        if (found !== undefined) return found
      }
      const isOwed = owedOf(machine).some((path) => machine.files.existsNow(path))
      return isOwed ? { action: 'run', diff: 'the web server has not read them' } : undefined
    },
    async capture(machine) {
      const seen: Record<string, Entry> = {}
      for (const { path } of filesOf(machine)) {
        const entry = await machine.files.look(path)
        if (entry.type !== 'absent') seen[path] = entry
      }
      return seen
    },
    apply: (machine) =>
      changing(machine, sites, async () => {
        for (const { path, text } of filesOf(machine)) {
          if (text === undefined) await machine.files.remove(path)
          else await machine.files.writeFile(path, text, own)
        }
      }),
    // a reload that fails here leaves it written down that it is owed: the look for drift tells, and a repair has it read
    undo: (machine, before) =>
      changing(machine, sites, () => putBack(machine, filesOf(machine), before)).catch((error) => {
        if (!(error instanceof NotRead)) throw error
      }),
  })
}

async function putBack({ files }: Machine, rowFiles: readonly RowFile[], before: Before): Promise<void> {
  for (const { path } of rowFiles) await files.putBack(path, before[path] ?? { type: 'absent' })
}

/** All that is changed is read by one reload, which others share. @throws NotRead where the reload failed alone */
async function changing(
  { files, places, services }: Machine,
  sites: readonly ServedSettings[],
  change: () => Promise<void>,
): Promise<void> {
  const owed = sites.map(({ fqdn }) => places.web.rowsOwed(fqdn))
  for (const path of owed) await files.writeFile(path, '', own)
  await change()
  await services.reloadNginx().catch((error: unknown) => {
    throw new NotRead(error)
  })
  for (const path of owed) await files.remove(path)
}

/** The web server goes on with the rows that it had. */
class NotRead extends WcpError {
  constructor(cause: unknown) {
    const { code, message, help } = asWcpError(cause)
    super(code, message, { cause, ...(help && { help }) })
  }
}

function rowFiles({ places }: Machine, { fqdn, rows }: ServedSettings): RowFile[] {
  const texts = rows === null ? new Map<string, string>() : siteRows(rows)
  return rowMaps.map((map) => ({ path: places.web.rows(map, fqdn), text: texts.get(map) }))
}

function differs(found: Entry, { path, text }: RowFile): Difference | undefined {
  if (found.type === 'absent')
    return text === undefined ? undefined : { action: 'create', diff: unifiedDiff(path, undefined, text) }
  if (text === undefined) return { action: 'remove', diff: `${path}: rows of settings that nobody has chosen` }
  if (found.type !== 'file') return { action: 'change', diff: `a ${found.type} instead of a file` }
  const written = Buffer.from(found.base64, 'base64').toString('utf8')
  if (written !== text) return { action: 'change', diff: unifiedDiff(path, written, text) }
  const said = ownershipDiffers(found, own)
  return said === undefined ? undefined : { action: 'change', diff: said }
}

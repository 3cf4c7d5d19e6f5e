import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { TenantName } from '../../src/contract/values.ts'
import { processesOf } from '../support/processes.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'

export const logsOfRoot: Tried = {
  name: 'logs that root opens',
  holds: 'only where root alone may write; the tenant can put nothing there',
  async attack({ product, butcher }, tally) {
    const { places } = product
    const places4 = [
      places.logs,
      places.tenantLogsRoot,
      places.tenantLogs(TenantName.parse(butcher.name)),
      dirname(places.nginxPid),
    ]
    for (const place of places4) {
      for (const deed of [
        `symlink('/etc/shadow', '${place}/evil')`,
        `file_put_contents('${place}/evil', 'x')`,
        `rename('${place}', '${place}.x')`,
        `unlink('${place}/php.log')`,
      ])
        tally.same(runAs(butcher, `echo @${deed} ? 'done' : 'no';`), 'no', deed)
    }
    for (const { pid, uid } of processesOf(product.root).filter((one) => one.uid === 0)) {
      for (const file of writtenBy(pid)) {
        if (!file.startsWith(product.root)) continue
        const open = ancestors(file, product.root).find((directory) => isOpenToOthers(directory))
        tally.held(open === undefined, `process ${pid} of uid ${uid} writes "${file}" below "${open}"`)
      }
    }
  },
}

/** Regular files that are open there. */
function writtenBy(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        const file = readlinkSync(`/proc/${pid}/fd/${fd}`)
        return file.startsWith('/') && statSync(`/proc/${pid}/fd/${fd}`).isFile() ? [file] : []
      } catch {
        return [] // closed meanwhile
      }
    })
  } catch {
    return [] // it has ended
  }
}

function ancestors(file: string, top: string): readonly string[] {
  const parent = dirname(file)
  return parent === top || parent === '/' ? [] : [parent, ...ancestors(parent, top)]
}

function isOpenToOthers(directory: string): boolean {
  const stat = statSync(directory, { throwIfNoEntry: false })
  return stat !== undefined && (stat.uid !== 0 || (stat.mode & 0o022) !== 0)
}

/**
 * Role `wcpd disk-usage <root> <tenant>:<uid>…`: how much each tenant occupies, in a process of its own that stands back behind
 * all others. It asks the quota of the file system and looks at names and sizes where there is none: no file of a tenant is
 * opened, and nothing is changed.
 */
import { z } from 'zod'
import { TenantName } from '../../contract/values.ts'
import { layout } from '../os/layout.ts'
import { resting, standBack } from '../os/precedence.ts'
import { isTenantUid } from '../os/tenant-uids.ts'
import { diskUse } from './disk-use.ts'

/** Of the whole look; tenants that are left are asked for again. */
export const longestMs = 4 * 60_000

const Word = z.tuple([TenantName, z.coerce.number<string>().int().refine(isTenantUid)])

export async function main([root = '/', ...words]: readonly string[]): Promise<number> {
  standBack()
  const { customers } = layout(root)
  const until = performance.now() + longestMs
  const sizes: unknown[] = []
  for (const word of words) {
    if (performance.now() > until) break
    const [name, uid] = Word.parse(word.split(':'))
    const walk = { rest: resting(), mayGoOn: () => performance.now() < until }
    sizes.push({ name, ...(await diskUse({ root, owner: 0 }, { path: customers.tenant(name), uid }, walk)) })
  }
  await new Promise((resolve) => process.stdout.write(JSON.stringify(sizes), resolve))
  return 0
}

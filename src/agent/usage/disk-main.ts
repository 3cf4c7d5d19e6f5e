/**
 * Role `wcpd disk-usage <root> <tenant>…`: how much each tenant's tree occupies, in a process of its own that stands back
 * behind all others. It looks at names and sizes alone: no file of a tenant is opened, and nothing is changed.
 */
import { TenantName } from '../../contract/values.ts'
import { layout } from '../os/layout.ts'
import { resting, standBack } from '../os/precedence.ts'
import { treeSize } from '../os/tree-size.ts'

/** Of the whole look; tenants that are left are asked for again. */
export const longestMs = 4 * 60_000

export async function main([root = '/', ...names]: readonly string[]): Promise<number> {
  standBack()
  const { customers } = layout(root)
  const until = performance.now() + longestMs
  const sizes: unknown[] = []
  for (const word of names) {
    if (performance.now() > until) break
    const name = TenantName.parse(word)
    const walk = { rest: resting(), mayGoOn: () => performance.now() < until }
    sizes.push({ name, ...(await treeSize({ root, owner: 0 }, customers.tenant(name), walk)) })
  }
  await new Promise((resolve) => process.stdout.write(JSON.stringify(sizes), resolve))
  return 0
}

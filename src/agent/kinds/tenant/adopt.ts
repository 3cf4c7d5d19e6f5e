/** Adopts what somebody else wrote into the configuration of a tenant's PHP: the only text of a tenant that is no protection of others. */
import type { TenantLimits } from '../../../contract/values.ts'
import { tenantAdopt } from '../../../resources/tenant/jobs.ts'
import { adoptedText, textToAdopt } from '../../adopted-text.ts'
import { adoption } from '../../steps/adoptable-file.ts'
import { identity, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import { fpmConfig } from './facts.ts'

type Target = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly adopted: { readonly by: string; readonly at: string; readonly text: string }
}

export const adoptTenant = provision(tenantAdopt, {
  async target({ tenant: id, by }, { registry, machine }): Promise<Target> {
    const found = tenantIn(registry, id, ['active', 'suspended'])
    const { limits } = found
    const tenant = identity(found)
    const file = fpmConfig(machine, tenant, limits)
    const text = await textToAdopt(machine, file)
    const before = await adoptedText(machine, file)
    const is = before?.text === text ? before : { by, at: machine.now().toISOString(), text }
    return { tenant, limits, adopted: { by: is.by, at: is.at, text } }
  },
  steps: ({ tenant, limits, adopted }, machine) => [adoption(fpmConfig(machine, tenant, limits), adopted)],
  settle() {},
})

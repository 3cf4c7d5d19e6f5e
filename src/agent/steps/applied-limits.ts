import { WcpError } from '../../contract/errors.ts'
import { TenantLimits } from '../../contract/values.ts'
import type { TenantIdentity } from '../os/tenant-identity.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { ownershipDiffers } from './entry-step.ts'
import { type Step, step } from './step.ts'

export interface AppliedLimits {
  readonly tenant: TenantIdentity
  readonly limits: TenantLimits
  /** Record of the limits that were applied last: a slice without processes exists nowhere else. */
  readonly record: string
  readonly owner: { readonly uid: number; readonly gid: number }
}

/** The tenant's slice has these limits, in the kernel if it exists now, and from its next start on in any case. */
export function appliedLimits(wanted: AppliedLimits): Step {
  const text = limitsText(wanted.limits)
  const ownership = { mode: 0o600, ...wanted.owner }
  return step<string | null>({
    name: `limits of ${wanted.tenant.name}`,
    async check({ files, services }) {
      const found = await files.look(wanted.record)
      const before = found.type === 'file' ? Buffer.from(found.base64, 'base64').toString('utf8') : undefined
      const action = before === undefined ? 'create' : 'change'
      if (before !== text) return { action, diff: unifiedDiff(wanted.record, before, text) }
      const said = found.type === 'file' ? ownershipDiffers(found, ownership) : undefined
      if (said !== undefined) return { action, diff: said }
      const inKernel = await services.limitsNotInForce(wanted.tenant, wanted.limits)
      return inKernel.length === 0 ? undefined : { action, diff: inKernel.join('\n') }
    },
    capture: async ({ files }) => (await files.readText(wanted.record)) ?? null,
    async apply({ services, files }) {
      await services.applyLimits(wanted.tenant, wanted.limits)
      await files.writeFile(wanted.record, text, ownership)
    },
    async undo(machine, before) {
      if (before === null) return machine.files.remove(wanted.record)
      await machine.services.applyLimits(wanted.tenant, parse(before, wanted.record))
      await machine.files.writeFile(wanted.record, before, ownership)
    },
  })
}

export function limitsText(limits: TenantLimits): string {
  return `${JSON.stringify(limits, null, 2)}\n`
}

function parse(text: string, path: string): TenantLimits {
  try {
    return TenantLimits.parse(JSON.parse(text))
  } catch (cause) {
    throw new WcpError('machine_failed', `Cannot read the limits in "${path}"`, { cause })
  }
}

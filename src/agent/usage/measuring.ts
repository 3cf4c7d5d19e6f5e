/** Measures tenants for the panel, each source once at a time. */
import { WcpError } from '../../contract/errors.ts'
import type { UsageSource } from '../../contract/usage.ts'
import type { Id } from '../../contract/values.ts'
import type { TenantRecord } from '../jobs/registry.ts'
import { identity } from '../kinds/judge.ts'
import type { MeasuredTenant } from './measured-tenant.ts'

export interface MeasuringOptions {
  tenant(id: Id): TenantRecord | undefined
  databases(tenant: Id): MeasuredTenant['databases']
  measure(of: UsageSource, tenants: readonly MeasuredTenant[]): Promise<unknown>
}

export class Measuring {
  readonly #options: MeasuringOptions
  readonly #running = new Map<UsageSource, Promise<unknown>>()

  constructor(options: MeasuringOptions) {
    this.#options = options
  }

  async measure({ of, tenants }: { readonly of: UsageSource; readonly tenants: readonly Id[] }): Promise<unknown> {
    if (this.#running.has(of)) throw new WcpError('busy', `Cannot measure "${of}": it is being measured`)
    const asked = tenants.map((id) => {
      const account = livingAccount(this.#options.tenant(id))
      return { id, account, databases: account === null ? [] : this.#options.databases(id) }
    })
    const running = this.#options.measure(of, asked).finally(() => this.#running.delete(of))
    this.#running.set(of, running)
    return await running
  }

  /** Resolves when nothing is measured any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }
}

function livingAccount(tenant: TenantRecord | undefined): MeasuredTenant['account'] {
  return tenant !== undefined && ['active', 'suspended'].includes(tenant.state) ? identity(tenant) : null
}

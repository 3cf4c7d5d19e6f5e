/** Tenants below a root of their own, and commands run as them the way the agent does it without systemd. */

import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type DirectServices, openDirectServices } from '../../src/agent/os/direct-services.ts'
import { foreignEgress } from '../../src/agent/os/egress.ts'
import { type Layout, layout } from '../../src/agent/os/layout.ts'
import type { RunLimits, TenantRun } from '../../src/agent/os/run-as/tenant-run.ts'
import { TenantCommand } from '../../src/contract/tenant-command.ts'
import { Id, TenantName } from '../../src/contract/values.ts'

const noLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
export const php = ['8.5', '8.4', '8.3', '8.2', '8.1'].find((version) => existsSync(`/usr/bin/php${version}`)) ?? null

export interface Tenant {
  readonly name: TenantName
  readonly uid: number
}

export class RunMachine {
  readonly root = mkdtempSync('/srv/wcp-runs-')
  readonly places: Layout = layout(this.root)
  services!: DirectServices

  static async open(): Promise<RunMachine> {
    const machine = new RunMachine()
    const { places } = machine
    chmodSync(machine.root, 0o755)
    for (const path of [places.web.hosts, places.fpmRun, places.customers.root]) mkdirSync(path, { recursive: true })
    for (const path of [places.runsRun, places.agentState]) mkdirSync(path, { recursive: true, mode: 0o700 })
    await machine.restart()
    return machine
  }

  /** Another life of the agent: it knows nothing of what the last one ran. */
  async restart(): Promise<void> {
    await this.services?.leaveRuns()
    const log = { info() {}, warn() {}, error() {} }
    this.services = await openDirectServices({ places: this.places, webGid: 33, log, egress: foreignEgress(log) })
  }

  tenant(name: string, uid: number): Tenant {
    const tenant = { name: TenantName.parse(name), uid }
    const { customers, web } = this.places
    mkdirSync(customers.sites(tenant.name), { recursive: true, mode: 0o755 })
    mkdirSync(customers.home(tenant.name), { mode: 0o700 })
    chownSync(customers.home(tenant.name), uid, uid)
    mkdirSync(web.sites(tenant.name), { recursive: true })
    writeFileSync(web.fpmConfig(tenant.name), '')
    writeFileSync(web.live(tenant.name), '')
    return tenant
  }

  run({ name, uid }: Tenant, command: readonly string[], limits: Partial<RunLimits> = {}): TenantRun {
    return {
      ...{ id: Id.parse(crypto.randomUUID()), name, uid, gid: uid, php },
      command: TenantCommand.parse(command),
      directory: this.places.customers.home(name),
      limits: { seconds: 60, memMb: null, pids: 64, ...limits },
      sliceLimits: noLimits,
    }
  }

  /** All that is kept of it. */
  async output({ name, id }: TenantRun): Promise<Buffer> {
    const pages: Buffer[] = []
    for (let after = 0; ; ) {
      const { bytes, next } = await this.services.runOutput(name, id, after, 1024 * 1024)
      if (bytes.length === 0) return Buffer.concat(pages)
      pages.push(bytes)
      after = next
    }
  }

  async said(tenant: Tenant, ...command: string[]): Promise<string> {
    const run = this.run(tenant, command)
    await this.services.runAs(run)
    return (await this.output(run)).toString()
  }

  remove(): void {
    this.services.close()
    rmSync(this.root, { recursive: true })
  }
}

/** A server with the product on it, its client, and what every fault's test asks of both. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../e2e/harness/machine.ts'
import { putWhoPage, signIn } from '../e2e/server.ts'
import type { Visitor } from '../e2e/visitor.ts'
import { busyServer } from './busy-server.ts'
import { Client, hasEnded } from './power-client.ts'
import { type Facts, gatherFacts } from './power-facts.ts'
import type { Deed } from './power-hosting.ts'
import { verdict } from './power-verdict.ts'

export interface ServiceHealth {
  readonly name: string
  readonly state: string
  readonly detail: string | null
}

export class FaultyServer implements AsyncDisposable {
  readonly machine: Machine
  readonly client: Client
  panel: Visitor

  private constructor(machine: Machine, panel: Visitor) {
    this.machine = machine
    this.panel = panel
    this.client = new Client(() => this.panel)
  }

  static async start(): Promise<FaultyServer> {
    const { machine, panel } = await busyServer()
    return new FaultyServer(machine, panel)
  }

  /** A tenant with a site of the name `<tenant>.example.com` and a page that tells as whom PHP runs. */
  async customer(tenant: string): Promise<string> {
    const site = `${tenant}.example.com`
    await this.must({ kind: 'tenant', verb: 'create', name: tenant })
    await this.must({ kind: 'domain', verb: 'create', name: site }, tenant)
    await putWhoPage(this.machine, tenant, site)
    return site
  }

  /** A page that answers after so many seconds. */
  async putSlowPage(tenant: string, seconds: number): Promise<void> {
    const file = `/srv/www/${tenant}/sites/${tenant}.example.com/public/slow.php`
    const input = `<?php sleep(${seconds}); echo "awake again";`
    await this.machine.succeed(`cat > '${file}' && chown ${tenant}:${tenant} '${file}'`, { input })
  }

  /** Somebody who asks for the slow page, and waits: a suspension lets that end first, and takes as long. */
  async askSlowly(tenant: string): Promise<void> {
    const ask = `curl -s -m 60 -H 'Host: ${tenant}.example.com' http://127.0.0.1/slow.php`
    await this.machine.succeed(`systemd-run --quiet --collect ${ask}; sleep 2`)
  }

  /** The id of the job that was promised. */
  async submit(deed: Deed, tenant = deed.name): Promise<string> {
    const outcome = await this.client.submit(deed, tenant)
    if (outcome.kind !== 'acknowledged') throw new Error(`Cannot ${deed.verb} ${deed.name}: ${JSON.stringify(outcome)}`)
    return outcome.jobs[0] ?? ''
  }

  async must(deed: Deed, tenant = deed.name): Promise<void> {
    const { state, failure } = await this.end(await this.submit(deed, tenant))
    if (state !== 'succeeded') throw new Error(`Cannot ${deed.verb} ${deed.name}: ${JSON.stringify(failure)}`)
  }

  /** The job when it has ended, also when the panel is away for a while. */
  async end(job: string, seconds = 900): Promise<{ state: string; failure: { code: string; message: string } | null }> {
    const deadline = Date.now() + seconds * 1000
    for (;;) {
      const answer = await this.panel
        .api('GET', `/jobs/${job}`)
        .catch((error: Error) => ({ status: 0, text: error.message }))
      const found = answer.status === 200 ? JSON.parse(answer.text) : undefined
      if (found !== undefined && hasEnded(found.state)) return found
      if (Date.now() > deadline)
        throw new Error(`Job ${job} did not end in ${seconds} s: ${answer.status} ${answer.text}`)
      await sleep(500)
    }
  }

  /** What the panel says of one service; its page and "wcp status" say the same. */
  async service(name: string): Promise<ServiceHealth> {
    const { status, text } = await this.panel.api('GET', '/health')
    if (status !== 200) throw new Error(`Cannot ask for health: ${status} ${text}`)
    const services: readonly ServiceHealth[] = JSON.parse(text).services
    return services.find((service) => service.name === name) ?? { name, state: 'not told', detail: null }
  }

  async signIn(): Promise<void> {
    this.panel = await signIn(this.machine)
  }

  async pidOf(unit: string): Promise<string> {
    return (await this.machine.succeed(['systemctl', 'show', '-p', 'MainPID', '--value', unit])).trim()
  }

  /** Promises that were not kept; with a wait for what is under way. */
  async findings(): Promise<string[]> {
    const deadline = Date.now() + 300_000
    for (;;) {
      const found = verdict(withoutTimes(await gatherFacts(this.machine)), this.client)
      if (found.length === 0 || Date.now() > deadline) return found
      await sleep(2_000)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.stop()
  }
}

/** Clocks are set here: times tell no order of jobs. */
function withoutTimes(facts: Facts): Facts {
  const none = { startedAt: null, finishedAt: null, steps: [] }
  return { ...facts, panelJobs: facts.panelJobs.map((job) => ({ ...job, ...none })) }
}

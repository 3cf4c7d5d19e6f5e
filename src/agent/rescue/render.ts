/**
 * Every managed file rendered anew and compared, from the global file of the web server to the last link of a site; and
 * put back when that is asked for, by the same facts that made it.
 */
import { WcpError } from '../../contract/errors.ts'
import type { RescueReport, RescueRequest } from '../../contract/rescue.ts'
import type { Change, DriftReport } from '../../contract/wire.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { findDrift, strayHosts, wanted } from '../drift/drift.ts'
import { Journal } from '../jobs/journal.ts'
import { checkAll } from '../jobs/plan.ts'
import { Registry, type TenantRecord } from '../jobs/registry.ts'
import { testNginxConfig } from '../os/nginx.ts'
import { ownFile } from '../steps/adoptable-file.ts'
import type { Json, Step } from '../steps/step.ts'
import { prepareWebSite, webSiteFacts } from '../web-site.ts'
import { type Rescue, withDatabase } from './machine.ts'
import { HalfDone, reasonOf, startAgain } from './report.ts'

export function renderAll(rescue: Rescue, { apply }: Extract<RescueRequest, { do: 'render' }>): Promise<RescueReport> {
  return withDatabase(rescue, async (database) => {
    const found = await differences(rescue, database)
    const failures = apply && found.length > 0 ? await putBack(rescue, database) : []
    const left = apply && found.length > 0 ? await differences(rescue, database) : []
    const report: RescueReport = {
      did: [
        summary(found, apply),
        ...(apply ? [`Put back: ${count(found) - count(left)}.`] : []),
        ...skipped(database),
      ],
      next: apply || found.length === 0 ? [startAgain] : ['Put them back with "wcp emergency render --apply".'],
      drift: found,
    }
    const nginx = await nginxTrouble(rescue)
    const wrong = [...failures, ...(nginx === null ? [] : [nginx])]
    if (wrong.length === 0 && left.length === 0) {
      return { ...report, did: [...report.did, 'The web server accepts its configuration (nginx -t).'] }
    }
    const message =
      wrong.length > 0 ? wrong.join('; ') : `Cannot put back ${left.map((one) => one.resource).join(', ')}`
    throw new HalfDone(report, new WcpError('machine_failed', message.slice(0, 3000)))
  })
}

function summary(found: DriftReport, apply: boolean): string {
  if (found.length === 0) return 'Everything is as it is wanted.'
  return `Differences ${apply ? 'found' : 'from what is wanted'}: ${count(found)}, in ${found.length} places.`
}

function count(report: DriftReport): number {
  return report.reduce((sum, { changes }) => sum + changes.length, 0)
}

/** A tenant with an interrupted job is between two states, and neither is drift. */
function busyTenants(database: Database): ReadonlySet<string> {
  return new Set(new Journal(database).unsettled().map(({ tenant }) => tenant))
}

function skipped(database: Database): string[] {
  const registry = new Registry(database)
  const busy = registry.tenants().filter(({ id }) => busyTenants(database).has(id))
  if (busy.length === 0) return []
  const names = busy.map(({ name }) => name).join(', ')
  return [`Left out, because a job of theirs was interrupted ("wcp emergency settle"): ${names}.`]
}

async function differences(rescue: Rescue, database: Database): Promise<DriftReport> {
  const busy = busyTenants(database)
  const isBusy = ({ id }: TenantRecord) => busy.has(id)
  const web = await webDifferences(rescue)
  const drift = await findDrift(new Registry(database), rescue.machine, {
    isBusy,
    between: async () => {},
    mayGoOn: () => true,
  })
  return [...(web.length > 0 ? [{ resource: 'web server', changes: web }] : []), ...drift]
}

/** The files that the daemon's own preparation would write. */
async function webDifferences({ machine, config }: Rescue): Promise<Change[]> {
  const texts = await webSiteFacts(machine.places, config)
  const changes = await checkAll(texts.map(ownFile), machine)
  return changes.filter(({ action }) => action !== 'same')
}

/** @returns what could not be put back, a sentence each. */
async function putBack(rescue: Rescue, database: Database): Promise<string[]> {
  const { machine, config } = rescue
  const registry = new Registry(database)
  const busy = busyTenants(database)
  const failures: string[] = []
  const noteFailure = (facts: object, message: string) => {
    const error = Object.values(facts).find((fact) => fact instanceof Error)
    failures.push(error === undefined ? message : reasonOf(error))
  }
  await prepareWebSite(machine, config, { ...rescue.log, error: noteFailure })
  const resources = registry
    .tenants()
    .filter(({ id }) => !busy.has(id))
    .flatMap((tenant) => wanted(registry, machine, tenant))
  for (const [resource, steps] of [...resources, ['routing table', await strayHosts(registry, machine)] as const]) {
    const failure = await bringAbout(rescue, steps)
    if (failure !== null) failures.push(`${resource}: ${failure}`)
  }
  return failures
}

/** As a job does it, but for the journal: each fact stands for itself, so an interrupted call is simply made again. */
async function bringAbout({ machine }: Rescue, steps: readonly Step[]): Promise<string | null> {
  const undo: { readonly step: Step; readonly before: Json }[] = []
  for (const step of steps) {
    try {
      if ((await step.check(machine)) === undefined) continue
      const before = await step.capture(machine)
      undo.unshift({ step, before })
      await step.apply(machine, before)
    } catch (error) {
      for (const one of undo) await one.step.undo(machine, one.before)
      return `Cannot bring about "${step.name}": ${reasonOf(error)}`
    }
  }
  return null
}

async function nginxTrouble({ places }: Rescue): Promise<string | null> {
  try {
    await testNginxConfig(places)
    return null
  } catch (error) {
    return error instanceof WcpError ? error.message : reasonOf(error)
  }
}

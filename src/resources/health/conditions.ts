/** Of the machine: services that failed, disks that fill up, an agent that is away or only inspects, jobs that the brake holds. */
import type { HealthSnapshot } from '../../contract/wire.ts'
import { type ConditionSource, eachRound, type FoundCondition } from '../condition-source.ts'
import { differing } from './findings.ts'

export const machineConditions: readonly ConditionSource[] = [
  {
    name: 'agent',
    everyMs: eachRound,
    find: async ({ agentTrouble }) =>
      agentTrouble === undefined
        ? []
        : [{ subject: 'agent', severity: 'critical', title: 'The root side changes nothing', detail: agentTrouble }],
  },
  { name: 'services', everyMs: eachRound, find: ofHealth(services) },
  { name: 'disks', everyMs: eachRound, find: ofHealth(disks) },
  { name: 'brake', everyMs: eachRound, find: ofHealth(brake) },
]

/** Found by the watch over drift. */
export const driftCondition: ConditionSource = {
  name: 'drift',
  everyMs: eachRound,
  async find({ stores }) {
    const findings = await stores.driftFindings.list()
    return findings
      .map(({ resource, changes }) => ({ resource, changes: differing(changes) }))
      .filter(({ changes }) => changes.length > 0)
      .map(({ resource, changes }) => ({
        subject: resource,
        severity: 'warning',
        title: `${resource} differs from what the panel wants`,
        detail: changes.map(({ step }) => step).join('; '),
        page: pageOf(resource),
      }))
  },
}

/** Of the thing, where it has one; else the list of all that differs. */
function pageOf(resource: string): string {
  const [, kind, name] = /^(tenant|domain) ([a-z0-9.-]+)$/.exec(resource) ?? []
  return kind === undefined ? '/drift' : `/${kind}s/${name}`
}

function ofHealth(conditionsOf: (health: HealthSnapshot) => readonly FoundCondition[]): ConditionSource['find'] {
  return async (look) => {
    const health = await look.health()
    return health === null ? null : conditionsOf(health)
  }
}

function services({ services }: HealthSnapshot): readonly FoundCondition[] {
  return services
    .filter(({ state }) => state === 'failed' || state === 'missing')
    .map(({ name, state, detail }) => ({
      subject: name,
      severity: 'critical',
      title: `Service ${name} ${state === 'failed' ? 'has failed' : 'is not installed'}`,
      detail,
      page: '/',
    }))
}

/** Percent that are free; the second is where the root side takes no jobs that need room. */
const low = 10
const almostNone = 3

function disks({ disks }: HealthSnapshot): readonly FoundCondition[] {
  return disks.flatMap(({ mount, total, free, inodesFreePct }): FoundCondition[] => {
    const room = total === 0 ? 100 : (free / total) * 100
    const least = Math.min(room, inodesFreePct)
    if (least >= low) return []
    const what = room <= inodesFreePct ? 'of its room' : 'of its inodes'
    const title = `Disk ${mount} has less than ${least < almostNone ? almostNone : low} % ${what} left`
    return [{ subject: mount, severity: least < almostNone ? 'critical' : 'warning', title, page: '/' }]
  })
}

function brake({ brakes }: HealthSnapshot): readonly FoundCondition[] {
  return brakes
    .filter(({ waiting }) => waiting > 0)
    .map(({ kind }) => ({
      subject: kind,
      severity: 'warning',
      title: `The brake holds ${kind} back: there were many within an hour`,
      detail: `If they are wanted, root lets more through: wcp approve ${kind}`,
      page: '/',
    }))
}

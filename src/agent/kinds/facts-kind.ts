/**
 * A kind whose whole being on the machine is a list of facts: making, changing, removing, the tenant's deletion and
 * restoration, and drift are that one list.
 */
import type { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { type JobContract, type JobTarget, resourceOf } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import type { Registry } from '../jobs/registry.ts'
import type { Machine } from '../os/machine.ts'
import type { Json, Step } from '../steps/step.ts'
import { identity, type Tenant, tenantIn } from './judge.ts'
import { type AnyProvisioner, provision, type World } from './provisioner.ts'

interface Definition<A extends JobContract, R extends JobContract> {
  /** Makes one, or changes it: the payload is all that is to be known of it. */
  readonly apply: A
  readonly remove: R
  /** As people know it. */
  name(one: z.output<A['payload']>): string
  /** The panel's word on how many is not enough: each job keeps all of them in the journal. */
  readonly mostOfTenant: number
  /** The facts while the tenant has exactly these. */
  facts(machine: Machine, tenant: Tenant, all: readonly z.output<A['payload']>[]): readonly Step[]
  /** The absence that a removed one leaves, where `facts` of the others does not say it. */
  gone?(machine: Machine, tenant: Tenant, one: z.output<A['payload']>): readonly Step[]
}

export interface FactsKind<T extends string = string> {
  readonly kind: string
  readonly provisioners: Readonly<Record<T, AnyProvisioner>>
  /** @param records from the registry or a journaled target */
  facts(machine: Machine, tenant: Tenant, records: readonly Json[]): readonly Step[]
  /** Nothing of these is there any more. */
  absence(machine: Machine, tenant: Tenant, records: readonly Json[]): readonly Step[]
}

type Target = {
  readonly tenant: Tenant
  readonly id: Id
  /** All that the tenant has from then on. */
  readonly all: readonly Json[]
  /** Things that were there before and are not any more. */
  readonly gone: readonly Json[]
}

export function factsKind<A extends JobContract, R extends JobContract>(
  definition: Definition<A, R>,
): FactsKind<A['type'] | R['type']> {
  const { apply, remove } = definition
  const { kind } = apply
  const parsed = (record: Json) => apply.payload.parse(record) as z.output<A['payload']>

  const facts: FactsKind['facts'] = (machine, tenant, records) => definition.facts(machine, tenant, records.map(parsed))
  const gone: FactsKind['facts'] = (machine, tenant, records) =>
    records.flatMap((record) => definition.gone?.(machine, tenant, parsed(record)) ?? [])

  async function target(contract: JobContract, payload: JobTarget, { registry }: World): Promise<Target> {
    const tenant = identity(tenantIn(registry, payload.tenant, ['active', 'suspended']))
    const id = resourceOf(contract, payload)
    const known = registry.thing(id)
    if (known !== undefined && (known.tenant !== tenant.id || known.kind !== kind))
      throw new WcpError('not_found', `Cannot find ${kind} "${id}" of tenant "${tenant.id}" on this machine`)
    const others = registry.thingsOf(tenant.id, kind).filter((one) => one.id !== id)
    const before = known === undefined ? [] : [known.record]
    if (contract === remove) return { tenant, id, all: others.map(({ record }) => record), gone: before }
    if (others.length >= definition.mostOfTenant)
      throw new WcpError('limit_reached', `Cannot add a ${kind}: tenant "${tenant.name}" has ${others.length}`)
    const one = { id, record: payload as Json } // a payload is JSON that its contract has parsed
    const all = [...others, one].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { tenant, id, all: all.map(({ record }) => record), gone: [] }
  }

  const provisioner = (contract: JobContract, settle: (registry: Registry, target: Target) => void) =>
    provision<JobContract, Target>(contract, {
      target: (payload, world) => target(contract, payload as JobTarget, world),
      steps: ({ tenant, all, gone: old }, machine) => [...gone(machine, tenant, old), ...facts(machine, tenant, all)],
      settle,
    })

  return {
    kind,
    provisioners: byType(
      provisioner(apply, (registry, { tenant, id, all }) => {
        const record = all.find((one) => resourceOf(apply, parsed(one) as JobTarget) === id)
        if (record === undefined) throw new Error(`a ${kind} is not among those of its tenant`)
        registry.putThing({ id, kind, tenant: tenant.id, name: definition.name(parsed(record)), record })
      }),
      provisioner(remove, (registry, { id }) => registry.dropThing(id)),
    ),
    facts,
    absence: (machine, tenant, records) => [...gone(machine, tenant, records), ...facts(machine, tenant, [])],
  }
}

function byType(...provisioners: readonly AnyProvisioner[]): Readonly<Record<string, AnyProvisioner>> {
  return Object.fromEntries(provisioners.map((one) => [one.contract.type, one]))
}

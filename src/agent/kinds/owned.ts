/** Things of a tenant beside its sites: they go and come back with it. */
import type { Id } from '../../contract/values.ts'
import type { Registry } from '../jobs/registry.ts'
import type { Machine } from '../os/machine.ts'
import type { Json, Step } from '../steps/step.ts'
import type { FactsKind } from './facts-kind.ts'
import { factsKinds } from './facts-kinds.ts'
import type { Tenant } from './judge.ts'

const kinds: readonly FactsKind[] = factsKinds

/** Kind → the records of all that the tenant has of it. */
export type Owned = { readonly [kind: string]: readonly Json[] }

export function ownedBy(registry: Registry, tenant: Id): Owned {
  const records = (kind: string) => registry.thingsOf(tenant, kind).map(({ record }) => record)
  return Object.fromEntries(kinds.map(({ kind }) => [kind, records(kind)]))
}

export function ownedFacts(machine: Machine, tenant: Tenant, owned: Owned): readonly Step[] {
  return kinds.flatMap((one) => one.facts(machine, tenant, owned[one.kind] ?? []))
}

export function ownedAbsence(machine: Machine, tenant: Tenant, owned: Owned): readonly Step[] {
  return kinds.flatMap((one) => one.absence(machine, tenant, owned[one.kind] ?? []))
}

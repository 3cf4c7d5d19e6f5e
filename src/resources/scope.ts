/** How far somebody reaches. Every query about what belongs to somebody is narrowed by it: what is outside is not found. */
import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import type { Id } from '../contract/values.ts'
import type { Database } from '../store/database.ts'

/** A person has one place and so one scope: staff of the panel, one reseller, or a customer's tenant. */
export type Scope =
  | { readonly kind: 'global' }
  /** The reseller's own tenants, packages and customers. `user`: the own account, which is always in reach. */
  | { readonly kind: 'reseller'; readonly reseller: Id; readonly user: Id }
  /** One tenant, and of the users the own account alone. */
  | { readonly kind: 'local'; readonly tenant: Id; readonly user: Id }

export interface FindOptions {
  readonly deleted?: boolean
  readonly scope?: Scope
}

export const everything: Scope = { kind: 'global' }

/** For a query that has `tenants` in it. */
export function tenantWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'tenants'>()
  if (scope.kind === 'local') return eb('tenants.id', '=', scope.tenant)
  return scope.kind === 'reseller' ? eb('tenants.reseller_id', '=', scope.reseller) : eb.lit(true)
}

/** For a query that has `packages` in it: a customer sees the package that his tenant has. */
export function packageWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'packages'>()
  if (scope.kind === 'reseller') return eb('packages.reseller_id', '=', scope.reseller)
  if (scope.kind === 'global') return eb.lit(true)
  const own = eb.selectFrom('tenants').select('tenants.package_id').where('tenants.id', '=', scope.tenant)
  return eb('packages.id', 'in', own)
}

/** For a query that has `users` and, where they have one, their `tenants` in it. */
export function userWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'users' | 'tenants'>()
  if (scope.kind === 'global') return eb.lit(true)
  const self = eb('users.id', '=', scope.user)
  return scope.kind === 'local' ? self : eb.or([self, eb('tenants.reseller_id', '=', scope.reseller)])
}

/** For a query that has `resellers` in it. */
export function resellerWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'resellers'>()
  if (scope.kind === 'global') return eb.lit(true)
  return scope.kind === 'reseller' ? eb('resellers.id', '=', scope.reseller) : eb.lit(false)
}

/** What a package gives besides limits. Of what does not exist yet nothing is offered. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { Context } from '../context.ts'
import type { Tenant } from '../tenant/schema.ts'

export const features = ['api', 'cron', 'databases'] as const

export const Feature = z.enum(features, { error: `one of ${features.join(', ')}` })
export type Feature = z.output<typeof Feature>

const Stored = z.record(z.string(), z.boolean())

/** A package that does not speak of a feature has it: a new version takes nothing away. */
export function readFeatures(column: string | null): Feature[] {
  const said = Stored.parse(decodeJson(column ?? '{}'))
  return features.filter((feature) => said[feature] !== false)
}

export function writeFeatures(given: readonly Feature[]): string {
  return encodeJson(Object.fromEntries(features.map((feature) => [feature, given.includes(feature)])))
}

export async function demandFeature(
  { packages }: Context,
  what: string,
  { name, packageId }: Pick<Tenant, 'name' | 'packageId'>,
  feature: Feature,
): Promise<void> {
  const chosen = await packages.get(packageId)
  if (chosen.features.includes(feature)) return
  throw new WcpError(
    'limit_reached',
    `Cannot ${what}: package "${chosen.name}" of tenant "${name}" does not have the feature "${feature}"`,
    { help: 'Give the tenant a package that has it, or the package the feature.', details: { feature } },
  )
}

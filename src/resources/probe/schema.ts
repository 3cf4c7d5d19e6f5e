/** A site as this machine's own web server answers for it, minute by minute. */
import { z } from 'zod'
import { Fqdn, Id } from '../../contract/values.ts'
import { Count, Time } from '../answers.ts'

/** `closed`: suspended or in maintenance, as somebody wants it; `unknown`: nobody has looked yet. */
export const ProbeState = z.enum(['up', 'down', 'closed', 'unknown'])
export type ProbeState = z.output<typeof ProbeState>

export const ProbeDay = z.strictObject({
  /** `2026-11-30`, in UTC. */
  day: z.string(),
  up: Count,
  down: Count,
  closed: Count,
  /** Mean time of an answer, ms. */
  ms: Count,
})
export type ProbeDay = z.output<typeof ProbeDay>

export const RecentProbe = z.strictObject({
  at: Time,
  state: ProbeState,
  /** null: no answer. */
  ms: Count.nullable(),
  /** Why it counts as down; empty otherwise. */
  problem: z.string(),
})
export type RecentProbe = z.output<typeof RecentProbe>

export const ProbedTls = z.strictObject({
  at: Time,
  state: z.enum(['valid', 'expired', 'other_names', 'failed']),
  validTo: Time.nullable(),
  ms: Count.nullable(),
})
export type ProbedTls = z.output<typeof ProbedTls>

export const ProbedDns = z.strictObject({ at: Time, state: z.enum(['here', 'elsewhere', 'unknown']), seen: z.string() })
export type ProbedDns = z.output<typeof ProbedDns>

export const SiteProbe = z.strictObject({
  /** Of the domain. */
  id: Id,
  fqdn: Fqdn,
  state: ProbeState,
  checkedAt: Time.nullable(),
  /** Of the first failure in a row, once there were three. */
  failingSince: Time.nullable(),
  problem: z.string().nullable(),
  /** null: the site has no certificate of its own, or nobody has looked yet. */
  https: ProbedTls.nullable(),
  /** Of its main name. */
  dns: ProbedDns.nullable(),
  /** The first page is asked for as well, which wakes PHP. */
  deep: z.boolean(),
  /** The oldest first, up to 90. */
  days: z.array(ProbeDay),
  /** The newest first, up to 60. */
  recent: z.array(RecentProbe),
})
export type SiteProbe = z.output<typeof SiteProbe>

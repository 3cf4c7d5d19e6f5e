/** User ids of tenants, whose group ids are the same; given out upwards, never twice. */
export const uidRange = { first: 20_000, last: 59_999 } as const

export function isTenantUid(uid: number): boolean {
  return uid >= uidRange.first && uid <= uidRange.last
}

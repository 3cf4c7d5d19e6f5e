/**
 * The cookie of a browser that somebody has signed in with. It signs nobody in: it says that whoever tries for this account
 * is no stranger, so that no flood of strangers stands before them.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { Id } from '../../contract/values.ts'
import { keyedDigest } from './keys.ts'

const name = '__Host-wcp-device'
const lifeSeconds = 180 * 86_400

export interface Device {
  readonly user: Id
  /** Of the cookie: failures are counted for it. */
  readonly id: string
}

export function newDeviceHeader(key: Buffer, user: Id, now: number = Date.now()): string {
  const until = Math.floor(now / 1000) + lifeSeconds
  const words = [user, randomBytes(12).toString('base64url'), String(until)]
  const value = [...words, keyedDigest(key, ...words)].join('.')
  return `${name}=${value}; Max-Age=${lifeSeconds}; Path=/; Secure; HttpOnly; SameSite=Strict`
}

/** null when there is none, more than one, one that has expired, or one that the panel never made. */
export function readDevice(key: Buffer, header: string | undefined, now: number = Date.now()): Device | null {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const [, value] = /^\s*__Host-wcp-device=([\w.-]{1,200})\s*$/.exec(pair) ?? []
    return value === undefined ? [] : [value]
  })
  const [user = '', id = '', until = '', seal = ''] = values.length === 1 ? (values[0]?.split('.') ?? []) : []
  const parsed = Id.safeParse(user)
  if (!parsed.success || Number(until) * 1000 <= now) return null
  return isEqual(seal, keyedDigest(key, user, id, until)) ? { user: parsed.data, id } : null
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

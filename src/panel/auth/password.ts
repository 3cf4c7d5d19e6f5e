/**
 * Passwords as argon2id in PHC strings. Each hash takes 64 MiB, so two run at a time, some wait, and the rest are told to
 * come back: a flood of logins can never take the machine's memory (threats C26).
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { WcpError } from '../../contract/errors.ts'

const compute = promisify(argon2)

interface Cost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

const cost: Cost = { memory: 64 * 1024, passes: 3, parallelism: 1 }
const saltBytes = 16
const tagBytes = 32
const atOnce = 2
const waiting = 32

export interface PasswordHasher {
  /** `$argon2id$v=19$m=65536,t=3,p=1$salt$tag` */
  hash(password: string): Promise<string>
  /**
   * With null, for an account that does not exist, it takes the same time and answers false. `outdated`: right, and
   * made at another cost than today's.
   */
  verify(password: string, phc: string | null): Promise<{ ok: boolean; outdated: boolean }>
}

/** @param override lower costs are for tests. */
export function passwordHasher(override: Partial<Cost> = {}): PasswordHasher {
  const chosen = { ...cost, ...override }
  const gate = semaphore(atOnce, waiting)
  const tag = (password: string, nonce: Buffer, at: Cost, tagLength: number) =>
    gate(async () => Buffer.from(await compute('argon2id', { message: password, nonce, tagLength, ...at })))
  const dummy = { ...chosen, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) }

  return {
    async hash(password) {
      const salt = randomBytes(saltBytes)
      return toPhc(chosen, salt, await tag(password, salt, chosen, tagBytes))
    },
    async verify(password, phc) {
      const stored = phc === null ? null : parsePhc(phc)
      const { salt, tag: expected, ...at } = stored ?? dummy
      const equal = timingSafeEqual(await tag(password, salt, at, expected.length), expected)
      const ok = equal && stored !== null
      return { ok, outdated: ok && (at.memory !== chosen.memory || at.passes !== chosen.passes) }
    },
  }
}

function toPhc({ memory, passes, parallelism }: Cost, salt: Buffer, tag: Buffer): string {
  const plain = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(salt)}$${plain(tag)}`
}

/** null for anything that this panel cannot have written, such as the hash of a disabled account. */
function parsePhc(phc: string): (Cost & { salt: Buffer; tag: Buffer }) | null {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22,86})\$([\w+/]{22,86})$/.exec(phc)
  if (match === null) return null
  const [, memory, passes, parallelism, salt = '', tag = ''] = match
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

/** Runs `running` tasks at a time and keeps `queued` more; one more is refused. */
export function semaphore(running: number, queued: number) {
  const line: (() => void)[] = []
  let free = running
  return async function enter<T>(task: () => Promise<T>): Promise<T> {
    if (free === 0) {
      if (line.length >= queued)
        throw new WcpError('too_many_requests', 'Cannot check a password now: too many are waiting', {
          details: { retryAfterSeconds: 5 },
        })
      await new Promise<void>((resolve) => line.push(resolve))
    } else free--
    try {
      return await task()
    } finally {
      const next = line.shift()
      if (next) next()
      else free++
    }
  }
}

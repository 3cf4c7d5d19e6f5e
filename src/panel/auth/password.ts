/**
 * Passwords as argon2id in PHC strings. Each hash takes 64 MiB, so two run at a time, some wait in a fair line, and who is one
 * too many of a crowd is told to come back: a flood of logins can take neither the machine's memory nor others' turns
 * (threats C26).
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { WcpError } from '../../contract/errors.ts'
import { FairLine, type Path } from './fair-line.ts'

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

/** `place`: of who asks, in the line. */
export interface PasswordHasher {
  /** @returns `$argon2id$v=19$m=65536,t=3,p=1$salt$tag` */
  hash(place: Path, password: string): Promise<string>
  /**
   * With null, for an account that does not exist, it takes the same time and answers false. `outdated`: right, and
   * made at another cost than today's.
   */
  verify(place: Path, password: string, phc: string | null): Promise<{ ok: boolean; outdated: boolean }>
}

/** @param override lower costs are for tests. */
export function passwordHasher(override: Partial<Cost> = {}): PasswordHasher {
  const chosen = { ...cost, ...override }
  const gate = fairGate(atOnce, waiting)
  const tag = (place: Path, password: string, nonce: Buffer, at: Cost, tagLength: number) =>
    gate(place, async () => Buffer.from(await compute('argon2id', { message: password, nonce, tagLength, ...at })))
  const dummy = { ...chosen, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) }

  return {
    async hash(place, password) {
      const salt = randomBytes(saltBytes)
      return toPhc(chosen, salt, await tag(place, password, salt, chosen, tagBytes))
    },
    async verify(place, password, phc) {
      const stored = phc === null ? null : parsePhc(phc)
      const { salt, tag: expected, ...at } = stored ?? dummy
      const equal = timingSafeEqual(await tag(place, password, salt, at, expected.length), expected)
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

interface Waiting {
  readonly begin: () => void
  readonly refuse: (reason: WcpError) => void
}

/** Runs `running` tasks at a time and keeps `queued` more, fairly by their places; one more is refused. */
export function fairGate(running: number, queued: number) {
  const line = new FairLine<Waiting>()
  let free = running

  function turn(place: Path): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    line.push(place, { begin: resolve, refuse: reject })
    if (line.size > queued) line.dropLast()?.refuse(tooMany())
    return promise
  }

  return async function enter<T>(place: Path, task: () => Promise<T>): Promise<T> {
    if (free === 0) await turn(place)
    else free--
    try {
      return await task()
    } finally {
      const next = line.shift()
      if (next) next.begin()
      else free++
    }
  }
}

function tooMany(): WcpError {
  return new WcpError('too_many_requests', 'Cannot check a password now: too many are waiting', {
    details: { retryAfterSeconds: 5 },
  })
}

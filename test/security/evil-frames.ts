/**
 * What a panel in wrong hands could write to the agent: valid messages, bent ones, and bytes. The same seed gives the same
 * frames. Whatever is legal here is about the prey alone, or about what does not exist; the neighbour is only ever named
 * where the root side must refuse (another tenant's domain, a token that was used).
 */
import { encodeFrame, maxFrameBytes } from '../../src/contract/frame.ts'
import { exampleChain } from '../../src/resources/certificate/example-chain.ts'
import { jobTypes } from '../../src/resources/jobs.ts'
import { Dice } from '../faults/power-dice.ts'

export interface Known {
  readonly prey: { readonly tenant: string; readonly domain: string; readonly name: string; readonly site: string }
  readonly neighbour: { readonly tenant: string; readonly domain: string; readonly name: string; readonly site: string }
}

/** What is written on one connection. */
export interface Burst {
  readonly kind: string
  /** One piece for each frame or half frame. */
  readonly pieces: readonly Buffer[]
  /** The agent has to hang up. */
  readonly mustClose: boolean
}

type Json = Readonly<Record<string, unknown>>

const hostileTexts = [
  '',
  ' ',
  '-rf',
  '../../etc',
  '/etc/shadow',
  'a\nb',
  'a\0b',
  '$(id)',
  '`id`',
  ';id',
  '{a}',
  'root',
  'wcp360',
  'x'.repeat(4001),
  '\u202e',
  '\ud800',
  'localhost',
  'a.com; } server {',
  '127.0.0.1',
  '%n%n%n',
  '00000000-0000-0000-0000-000000000000',
  '__proto__',
  'constructor',
]
const hostileValues: readonly unknown[] = [
  ...hostileTexts,
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  [],
  {},
  [[]],
  { a: 1 },
]

const verifier = `*${'0'.repeat(40)}`
/** What their jobs have beside ids. */
const ofDatabase: Readonly<Record<string, Json>> = {
  'database.create': { engine: 'mariadb', name: 'evil', collation: 'utf8mb4_bin', verifier },
  'database.update': { verifier },
}

function ofDatabaseUser(type: string, database: string): Json {
  if (type === 'database-user.delete') return {}
  return type === 'database-user.update' ? { verifier } : { database, name: 'evil', access: 'all', verifier }
}

/** The first is one; the others would be more than settings if they were taken. */
const evilSettings: readonly Json[] = [
  { root: 'web' },
  { root: '../../neighbour' },
  { front: '/x.php; } server {' },
  { locked: ['/../..'] },
  { users: [{ name: 'root:x', verifier: '{PLAIN}' }] },
  { locked: ['/'], users: [{ name: 'eve', verifier: `{SSHA}${'A'.repeat(48)}` }] },
  { addresses: [{ isAllowed: true, range: '::::' }] },
  { friends: ['a; } server {'], ownPictures: true },
  { rate: '0' },
  { canonical: 'neighbour.example.net' },
  { redirects: [{ from: '/a"; include /etc/shadow; "', isPrefix: false, to: '/', code: 301 }] },
  { redirects: [{ from: '/a', isPrefix: false, to: '$document_root', code: 200 }] },
  { php: { memoryMb: 1_000_000 } },
  { php: { timezone: 'UTC"\n[HOST=neighbour.example.net]\nauto_prepend_file = "/etc/shadow' } },
  { php: { auto_prepend_file: '/etc/shadow' } },
]

export class EvilFrames {
  readonly #dice: Dice
  readonly #known: Known
  /** A message that was sent before, to be sent again. */
  #old: Json | undefined
  #made = 0

  constructor(seed: number, known: Known) {
    this.#dice = new Dice(seed)
    this.#known = known
  }

  next(): Burst {
    const harmless = Array.from({ length: this.#dice.between(0, 30) }, () => encode(this.#legal()))
    const { kind, pieces, mustClose } = this.#attack()
    return { kind, pieces: [...harmless, ...pieces], mustClose }
  }

  #attack(): Burst {
    const throwOf = this.#dice.next()
    if (throwOf < 0.3) return fatal('mutated', [mutated(this.#dice, encode(this.#aboutPrey()))])
    if (throwOf < 0.55) return fatal('grammar', [encode(this.#bent(this.#aboutPrey()))])
    if (throwOf < 0.65) return fatal('bytes', [this.#bytes()])
    if (throwOf < 0.75) return fatal('phase', [encode(this.#wrongPhase())])
    if (throwOf < 0.85) return fatal('writing', [framed(this.#badWriting())])
    if (throwOf < 0.9) return fatal('size', [this.#badSize()])
    if (throwOf < 0.93) return { kind: 'half', pieces: this.#half(), mustClose: false }
    return { kind: 'tokens', pieces: [encode(this.#forged()), encode(this.#again())], mustClose: false }
  }

  /** Legal, and of no consequence for anybody but the prey. */
  #legal(): Json {
    const dice = this.#dice
    const throwOf = dice.next()
    if (throwOf < 0.93) return { t: 'ack', job: uuid(dice) }
    if (throwOf < 0.932) return { t: 'inspect', ask: uuid(dice), what: 'audit' }
    if (throwOf < 0.934) return { t: 'inventory', ask: uuid(dice), of: 'domains', after: uuid(dice) }
    if (throwOf < 0.9342) return { t: 'ssh_sessions', ask: uuid(dice), told: [uuid(dice)] }
    if (throwOf < 0.9344) return { t: 'end_ssh', ask: uuid(dice), session: uuid(dice) }
    if (throwOf < 0.935) return { t: 'account', ask: uuid(dice), tenant: uuid(dice) }
    if (throwOf < 0.9352)
      return { t: 'files', ask: uuid(dice), tenant: uuid(dice), domain: uuid(dice), channel: uuid(dice) }
    if (throwOf < 0.936) return { t: 'csr', ask: uuid(dice), certificate: uuid(dice) }
    if (throwOf < 0.937) return { t: 'acme', ask: uuid(dice), request: this.#unknownOrder() }
    if (throwOf < 0.938) return { t: 'drift_page', ask: uuid(dice), after: dice.chance(0.5) ? null : 'prey' }
    if (throwOf < 0.9385)
      return { t: 'own_files', what: dice.oneOf(['repair', 'repair_all', 'adopt']) ?? 'repair', by: 'evil' }
    if (throwOf < 0.94)
      return { t: 'plan', ask: uuid(dice), jobs: [this.#payloadOf(dice.oneOf(jobTypes) ?? 'tenant.create')] }
    if (throwOf < 0.98) return this.#forged()
    this.#old = this.#aboutPrey()
    return this.#old
  }

  /** For a certificate that is not there. */
  #unknownOrder(): Json {
    const url = 'https://ca.example.com/order'
    const payload = { is: 'order', certificate: uuid(this.#dice), names: ['shop.example.com'], replaces: null }
    return { url, nonce: 'a-nonce', account: url, payload }
  }

  #aboutPrey(): Json {
    const dice = this.#dice
    const { type, payload } = this.#payloadOf(dice.oneOf(jobTypes) ?? 'tenant.limit')
    return { t: 'job', job: uuid(dice), type, token: dice.between(1, 1_000_000), ...this.#from(), payload }
  }

  /** Jobs that fit their contract. Few of them make anything: what does not exist is refused. */
  #payloadOf(type: string): { type: string; payload: Json } {
    const dice = this.#dice
    const { prey } = this.#known
    const tenant = dice.chance(0.5) ? prey.tenant : uuid(dice)
    const domain = dice.chance(0.5) ? prey.domain : uuid(dice)
    const limits = {
      cpuPct: null,
      memMb: dice.chance(0.5) ? null : dice.between(64, 1024),
      pids: null,
      ioMbps: null,
      diskMb: null,
    }
    if (type === 'tenant.create')
      return { type, payload: { tenant: prey.tenant, name: dice.chance(0.5) ? prey.name : this.#name(), limits } }
    if (type === 'tenant.limit') return { type, payload: { tenant, limits } }
    if (type === 'tenant.adopt') return { type, payload: { tenant, by: 'evil' } }
    if (type.startsWith('tenant.')) return { type, payload: { tenant } }
    if (type === 'domain.create') return { type, payload: { tenant, domain, fqdn: prey.site, aliases: [], php: null } }
    if (type === 'domain.update')
      return {
        type,
        payload: {
          ...{ tenant, domain, aliases: [`a${dice.between(1, 9)}.${prey.site}`], php: null },
          ...(dice.chance(0.5) && { settings: dice.oneOf(evilSettings) ?? {} }),
        },
      }
    if (type === 'ssh-key.create') {
      const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7'
      return { type, payload: { tenant: uuid(dice), 'ssh-key': uuid(dice), name: 'evil', key } }
    }
    if (type === 'certificate.create') return { type, payload: { tenant, certificate: uuid(dice), domain } }
    if (type === 'certificate.update')
      return { type, payload: { tenant, certificate: uuid(dice), chain: exampleChain } }
    if (type.startsWith('database-user.'))
      return { type, payload: { tenant, 'database-user': uuid(dice), ...ofDatabaseUser(type, uuid(dice)) } }
    if (type.startsWith('database.')) return { type, payload: { tenant, database: uuid(dice), ...ofDatabase[type] } }
    if (type.startsWith('app.')) {
      const about = { tenant, app: uuid(dice), domain, run: uuid(dice) }
      if (type !== 'app.install') return { type, payload: { ...about, user: 'evil' } }
      const first = { title: 'evil', adminUser: 'evil', adminEmail: 'evil@example.com' }
      return { type, payload: { ...about, database: uuid(dice), name: 'evil', ...first } }
    }
    if (type === 'ssh-key.delete') return { type, payload: { tenant, 'ssh-key': uuid(dice) } }
    return { type, payload: { tenant, domain } }
  }

  /** Whatever it says of who asks. */
  #from(): Json {
    return { epoch: 0, staff: this.#dice.chance(0.5), reseller: this.#dice.chance(0.5) ? uuid(this.#dice) : null }
  }

  /** Names that the machine has, and one that is free; the last only so often that the run stays short. */
  #name(): string {
    const isNew = this.#made < 40 && this.#dice.chance(0.01)
    if (isNew) this.#made++
    return isNew
      ? `evil${'abcdefghijklmnopqrstuvwxyz'[this.#made % 26]}${this.#made}`
      : (this.#dice.oneOf(['root', 'daemon', 'wcp360', 'nobody', 'mail']) ?? 'root')
  }

  /** What another has, and tokens that were used: all of it must be refused. */
  #forged(): Json {
    const dice = this.#dice
    const { prey, neighbour } = this.#known
    const job = uuid(dice)
    const forged = [
      {
        type: 'domain.delete',
        token: dice.between(1, 1_000_000),
        payload: { tenant: prey.tenant, domain: neighbour.domain },
      },
      {
        type: 'domain.update',
        token: dice.between(1, 1_000_000),
        payload: { tenant: prey.tenant, domain: neighbour.domain, aliases: [], php: null },
      },
      {
        type: 'domain.create',
        token: dice.between(1, 1_000_000),
        payload: { tenant: prey.tenant, domain: uuid(dice), fqdn: neighbour.site, aliases: [], php: null },
      },
      {
        type: 'domain.create',
        token: dice.between(1, 1_000_000),
        payload: { tenant: prey.tenant, domain: uuid(dice), fqdn: `x.${neighbour.site}`, aliases: [], php: null },
      },
      { type: 'tenant.suspend', token: 1, payload: { tenant: neighbour.tenant } },
      { type: 'tenant.delete', token: 1, payload: { tenant: neighbour.tenant } },
      { type: 'domain.suspend', token: 1, payload: { tenant: neighbour.tenant, domain: neighbour.domain } },
      {
        type: 'tenant.create',
        token: dice.between(1, 1_000_000),
        payload: {
          tenant: prey.tenant,
          name: neighbour.name,
          limits: { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null },
        },
      },
    ]
    return { t: 'job', job, ...this.#from(), ...dice.oneOf(forged) }
  }

  /** A job that was sent before, under its own id with another payload, or as it was. */
  #again(): Json {
    const old = this.#old ?? this.#aboutPrey()
    if (this.#dice.chance(0.5)) return old
    return { ...old, ...this.#payloadOf('tenant.limit') }
  }

  #bent(message: Json): Json {
    const dice = this.#dice
    const value = dice.oneOf(hostileValues)
    const at = dice.between(0, 5)
    if (at === 0)
      return { ...message, payload: { ...Object(message.payload), [String(dice.oneOf(hostileTexts) || 'x')]: value } }
    if (at === 1) return { ...message, type: `${String(dice.oneOf(hostileTexts)).slice(0, 40)}.x` }
    if (at === 2) return { ...message, token: dice.oneOf([0, -1, 1.5, '1', null, [1], 2 ** 60]) }
    if (at === 3) return { ...message, job: dice.oneOf([...hostileTexts, 1, null, []]) }
    if (at === 4)
      return { ...message, [String(dice.oneOf(['node_id', 'uid', 'path', 'argv', 'env', 'command', 'T']))]: value }
    return {
      ...message,
      payload: dice.oneOf([
        null,
        1,
        'x',
        [],
        [Object(message.payload)],
        { tenant: '../..' },
        { tenant: [] },
        { name: {} },
      ]),
    }
  }

  /** Setup is closed: root's password is asked for no more. And what only the agent says. */
  #wrongPhase(): Json {
    const dice = this.#dice
    return (
      dice.oneOf<Json>([
        { t: 'verify_root', ask: uuid(dice), password: 'x', code: 'x', from: '127.0.0.1' },
        { t: 'hello', wire: 2, version: 'x', setupOpen: true, readOnly: null, running: [], php: [] },
        { t: 'finished', job: uuid(dice), token: 1, failure: null },
        { t: 'accepted', job: uuid(dice), steps: [] },
        { t: 'heartbeat', job: uuid(dice) },
        { t: 'answer', ask: uuid(dice), value: null, failure: null },
        { t: 'approve', kind: 'deletes', count: 1000 },
        { t: 'audit', after: { sequence: 1, checksum: '0'.repeat(64) }, entries: [] },
        { t: 'plan', ask: uuid(dice), jobs: [] },
      ]) ?? {}
    )
  }

  #bytes(): Buffer {
    const length = this.#dice.between(4, 400)
    const bytes = Buffer.from(Array.from({ length }, () => this.#dice.between(0, 255)))
    // Two of three times below a length that fits, so that it is the body that is looked at.
    if (this.#dice.chance(0.66)) bytes.writeUInt32BE(length - 4)
    else bytes.writeUInt32BE(maxFrameBytes + this.#dice.between(1, 1_000_000))
    return length === 4 ? Buffer.from([0, 0, 0, 0]) : bytes
  }

  /** JSON that says the same in another way, or two things at once. */
  #badWriting(): string {
    const text = JSON.stringify(this.#aboutPrey())
    const id = uuid(this.#dice)
    return (
      this.#dice.oneOf([
        ` ${text}`,
        `${text} `,
        `${text}\n`,
        `${text}${text}`,
        text.replace('"t":"job"', '"t":"ack","t":"job"'),
        text.replace(/"token":(\d+)/, '"token":$1.0'),
        text.replace('"job"', '"\\u006aob"'),
        `\uFEFF${text}`,
        text.replace('"payload":{', '"payload":{"__proto__":{"uid":0},'),
        text.replace('{"t"', `{"job":"${id}","t"`),
        text.replace(/"token":\d+/, '"token":1e3'),
        text.slice(0, -1),
        `[${text}]`,
        `"${id}"`,
        'null',
        '1',
        '['.repeat(9) + ']'.repeat(9),
        '['.repeat(50_000) + ']'.repeat(50_000),
        `{"t":"ack","job":"${id}","x":${'{"a":'.repeat(9)}1${'}'.repeat(9)}}`,
      ]) ?? ''
    )
  }

  #badSize(): Buffer {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(this.#dice.oneOf([0, maxFrameBytes + 1, 2 ** 31, 2 ** 32 - 1]) ?? 0)
    const keys = Array.from({ length: 30_000 }, (_, index) => [`k${index}`, 1])
    const wide = encode({
      t: 'job',
      job: uuid(this.#dice),
      type: 'tenant.suspend',
      token: 1,
      ...this.#from(),
      payload: Object.fromEntries(keys.slice(0, 12_000)),
    })
    return this.#dice.chance(0.7) ? head : wide
  }

  /** A frame that is never finished, in drips. */
  #half(): Buffer[] {
    const whole = encode(this.#aboutPrey())
    const end = this.#dice.between(1, whole.length - 1)
    return [whole.subarray(0, 1), whole.subarray(1, Math.min(5, end)), whole.subarray(Math.min(5, end), end)].filter(
      ({ length }) => length > 0,
    )
  }
}

function fatal(kind: string, pieces: readonly Buffer[]): Burst {
  return { kind, pieces, mustClose: true }
}

/** One to four bytes of the body are others; what is still a legal job by chance is about the prey. */
function mutated(dice: Dice, frame: Buffer): Buffer {
  const copy = Buffer.from(frame)
  for (let more = dice.between(0, 3); more > 0; more--) copy[dice.between(4, copy.length - 1)] = dice.between(0, 255)
  // A control character or a byte that no UTF-8 begins with is in it at the end, so that it cannot be a legal frame by chance.
  copy[dice.between(4, copy.length - 1)] = dice.oneOf([0, 1, 10, 0x1b, 0xff, 0xfe, 0xc0]) ?? 0
  return copy
}

function encode(value: Json): Buffer {
  return encodeFrame(value)
}

function framed(text: string): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

function uuid(dice: Dice): string {
  const hex = Array.from({ length: 32 }, () => dice.between(0, 15).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

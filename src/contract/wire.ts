/** The messages between panel and agent: two closed unions, strict on both sides. The agent dials, so root never listens (B1). */
import { z } from 'zod'
import { AcmeRequest, AcmeToken } from './acme.ts'
import { BrakeKind, StepState } from './job.ts'
import { sshSessionsPage } from './ssh-session.ts'
import { UsageSource, usagePage } from './usage.ts'
import { Id, Line, TenantName } from './values.ts'

/** Both sides refuse another version by name; an upgrade replaces both at once. */
export const wireVersion = 17

const Text = z.string().max(4000)
const Token = z.int().min(1)
const Epoch = z.int().min(0)
/** Shape only; the payload is parsed by the contract of its type. */
const Payload = z.record(z.string().max(40), z.unknown())
const JobTypeName = z.string().max(40)

/** One thing a job would change: a path or a unit, and how. */
export const Change = z.strictObject({
  step: Text,
  /** `same`: already true. `adopt`: somebody else's text stays, as an operator wants it. */
  action: z.enum(['same', 'create', 'change', 'remove', 'run', 'adopt']),
  /** Unified diff or one sentence; null when there is nothing to show. */
  diff: z.string().max(20_000).nullable(),
})
export type Change = z.infer<typeof Change>

export const Failure = z.strictObject({
  /** Step that failed; null when the job never began. */
  step: Text.nullable(),
  code: z.string().max(40),
  message: Text,
  help: Text,
  /** Of a tenant's command that exited by itself. */
  exit: z.int().min(0).max(255).exactOptional(),
})
export type Failure = z.infer<typeof Failure>

/** HMAC-SHA-256. */
export const Mac = z.string().regex(/^[0-9a-f]{64}$/)

/** Where the panel's audit trail ends: number and checksum of its last entry; 0 and zeros before the first. */
export const TrailEnd = z.strictObject({ sequence: z.int().min(0), checksum: Mac })
export type TrailEnd = z.infer<typeof TrailEnd>

/** An entry of the panel's audit trail as the root side keeps it. */
export const MirroredEntry = z.strictObject({
  ...TrailEnd.shape,
  id: Id,
  at: z.string().max(30),
  actor: z.string().max(254),
  actorId: Id.nullable(),
  tenantId: Id.nullable(),
  action: z.string().max(60),
  outcome: z.enum(['ok', 'refused', 'failed']),
  /** Canonical JSON; of a longer one its SHA-256 and its size. */
  metadata: z.string().max(8192),
  ip: z.string().max(64).nullable(),
  requestId: z.string().max(100).nullable(),
})
export type MirroredEntry = z.infer<typeof MirroredEntry>

/** Where the root side's audit log ended at a moment, sealed with its key: to be kept elsewhere. */
export const AuditHead = z.strictObject({ seq: z.int().min(0), at: z.string().max(30), mac: Mac, seal: Mac })
export type AuditHead = z.infer<typeof AuditHead>

/** A limit as packages name it. */
export const LimitName = z.enum(['cpuPct', 'memMb', 'pids', 'ioMbps', 'diskMb', 'egress'])
export type LimitName = z.infer<typeof LimitName>

/** `tenants`, `domains`, or the name of a kind, of which there may be none. */
const InventoryWord = z.string().regex(/^[a-z][a-z-]{0,39}$/)

export const OwnFilesVerb = z.enum(['repair', 'repair_all', 'adopt', 'adopt_program'])
export type OwnFilesVerb = z.infer<typeof OwnFilesVerb>

export const PanelMessage = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('job'),
    job: Id,
    type: JobTypeName,
    token: Token,
    /** Of the store when the job was queued; tokens are compared within one. */
    epoch: Epoch,
    /** Whether staff or root asked for it, and whose tenant it is. The root side believes neither where that would gain anything. */
    staff: z.boolean(),
    reseller: Id.nullable(),
    payload: Payload,
  }),
  /** The panel has stored the end of the job; the agent need not tell it again. */
  z.strictObject({ t: z.literal('ack'), job: Id }),
  /** The changes that these jobs would make, one after the other: a later one finds what an earlier one will have made. */
  z.strictObject({
    t: z.literal('plan'),
    ask: Id,
    jobs: z
      .array(z.strictObject({ type: JobTypeName, payload: Payload }))
      .min(1)
      .max(20),
  }),
  z.strictObject({ t: z.literal('inspect'), ask: Id, what: z.enum(['health', 'drift', 'audit']) }),
  /** The look for drift at the tenants after one in the order of their names, or at the first and at what is no tenant's. */
  z.strictObject({ t: z.literal('drift_page'), ask: Id, after: TenantName.nullable() }),
  /** To the files that are no tenant's: they are put back, with what was adopted of them or without, or adopted. Told to nobody: the next look sees it. */
  z.strictObject({ t: z.literal('own_files'), what: OwnFilesVerb, by: Line.max(254) }),
  /** The root side's inventory, by id: the next `inventoryPage` after one, or the first. */
  z.strictObject({ t: z.literal('inventory'), ask: Id, of: InventoryWord, after: Id.nullable() }),
  /** A tenant's account on this machine. Answered with `Account`. */
  z.strictObject({ t: z.literal('account'), ask: Id, tenant: Id }),
  /** What these tenants use of one thing. Answered as the source says; `busy` while the same source is being measured. */
  z.strictObject({ t: z.literal('usage'), ask: Id, of: UsageSource, tenants: z.array(Id).min(1).max(usagePage) }),
  /** The output of a tenant's command. @see RunOutput */
  z.strictObject({ t: z.literal('output'), ask: Id, job: Id, after: z.int().min(0) }),
  /** Answered with `SshSessions`. What is over and was told back here is forgotten by the root side. */
  z.strictObject({ t: z.literal('ssh_sessions'), ask: Id, told: z.array(Id).max(sshSessionsPage) }),
  /** Answered with null once all of the session has ended, also when that was before. */
  z.strictObject({ t: z.literal('end_ssh'), ask: Id, session: Id }),
  /** The command of this job is to end; its end is told as every job's. */
  z.strictObject({ t: z.literal('stop'), job: Id }),
  /** Answered with `SignedRequest`: what an authority is asked, signed by the account's key. */
  z.strictObject({ t: z.literal('acme'), ask: Id, request: AcmeRequest }),
  /** Answered with `SigningRequest`, for the key and the names of the certificate's site. */
  z.strictObject({ t: z.literal('csr'), ask: Id, certificate: Id }),
  /** An authority's proof is to be found under every name, or no more. */
  z.strictObject({ t: z.literal('prove'), ask: Id, token: AcmeToken, isThere: z.boolean() }),
  /**
   * A process of the tenant's is started that works on the files of this site; its connection comes to the panel's `files.sock`
   * and begins with the channel. Answered with null when it was started.
   */
  z.strictObject({ t: z.literal('files'), ask: Id, tenant: Id, domain: Id, channel: Id }),
  /** Answered with null at once: asked before jobs are sent, since what a frozen agent was sent cannot be cancelled. */
  z.strictObject({ t: z.literal('ping'), ask: Id }),
  /** Entries of the panel's audit trail in their order, the first one right after `after`. Answered with `audited`. */
  z.strictObject({ t: z.literal('audit'), after: TrailEnd, entries: z.array(MirroredEntry).min(1).max(100) }),
  /** The code of the setup's address, and then a PAM check of root's password; only before setup is closed, five checks a minute. */
  z.strictObject({
    t: z.literal('verify_root'),
    ask: Id,
    password: z.string().min(1).max(1024),
    code: z.string().max(100),
    from: z.string().max(64),
  }),
  /** The store was put back from a backup, or is a new one: tokens are counted anew. Answered with `NewEpoch`. */
  z.strictObject({ t: z.literal('new_epoch'), ask: Id }),
  /** The first administrator exists: root's login is closed for ever. */
  z.strictObject({ t: z.literal('close_setup'), ask: Id }),
])
export type PanelMessage = z.infer<typeof PanelMessage>

export const AgentMessage = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('hello'),
    wire: z.int(),
    version: Text,
    setupOpen: z.boolean(),
    /** Set when the agent only inspects, with the reason (B14). */
    readOnly: Text.nullable(),
    /** Jobs that run now. */
    running: z.array(Id),
    /** PHP versions installed. */
    php: z.array(z.string().max(8)),
    /** Limits of packages that this machine cannot enforce. */
    unenforced: z.array(LimitName).max(20),
    /** Jobs of another one are refused, unless they were accepted before. */
    epoch: Epoch,
    /** How far the panel's audit trail is written here for good; null while the log cannot be read. */
    trail: TrailEnd.nullable(),
  }),
  z.strictObject({ t: z.literal('accepted'), job: Id, steps: z.array(Text).max(500) }),
  z.strictObject({
    t: z.literal('step'),
    job: Id,
    index: z.int(),
    name: Text,
    state: StepState,
    note: Text.nullable(),
  }),
  /** Not accepted now, and not refused: it may be sent again in a while, and has to wait for root's word or the hour. */
  z.strictObject({ t: z.literal('held'), job: Id, reason: Text }),
  z.strictObject({ t: z.literal('log'), job: Id, line: Text }),
  /** Every few seconds while the job runs. */
  z.strictObject({ t: z.literal('heartbeat'), job: Id }),
  /** Repeated at each connection until acknowledged. `failure: null` is success. */
  z.strictObject({ t: z.literal('finished'), job: Id, token: Token, failure: Failure.nullable() }),
  /** After the hello, after each `audit`, and from time to time: what of the panel's trail is written here for good. */
  z.strictObject({ t: z.literal('audited'), end: TrailEnd, head: AuditHead }),
  z.strictObject({ t: z.literal('answer'), ask: Id, value: z.unknown(), failure: Failure.nullable() }),
])
export type AgentMessage = z.infer<typeof AgentMessage>

/** One budget of the blast brake. */
export const BrakeState = z.strictObject({
  kind: BrakeKind,
  /** Jobs accepted within the last hour, and how many are without root's word. */
  used: z.int(),
  limit: z.int(),
  /** How many more root lets through now. */
  approved: z.int(),
  /** Jobs that wait for root's word or for the hour to pass. */
  waiting: z.int(),
})
export type BrakeState = z.infer<typeof BrakeState>

/** Answer to `inspect health`. Sizes in bytes, loads as in /proc/loadavg, pressure as `avg10` percent. */
export const HealthSnapshot = z.strictObject({
  at: z.iso.datetime(),
  hostname: z.string(),
  uptimeSeconds: z.number(),
  cpus: z.int(),
  load: z.tuple([z.number(), z.number(), z.number()]),
  memory: z.strictObject({ total: z.number(), available: z.number(), swapTotal: z.number(), swapFree: z.number() }),
  disks: z.array(z.strictObject({ mount: z.string(), total: z.number(), free: z.number(), inodesFreePct: z.number() })),
  /** null where the kernel has no PSI. */
  pressure: z
    .strictObject({
      cpu: z.number(),
      memorySome: z.number(),
      memoryFull: z.number(),
      ioSome: z.number(),
      ioFull: z.number(),
    })
    .nullable(),
  services: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['running', 'stopped', 'failed', 'missing']),
      detail: z.string().nullable(),
    }),
  ),
  /** Protections this machine cannot give, one sentence each. */
  missing: z.array(z.string()),
  versions: z.record(z.string(), z.string()),
  brakes: z.array(BrakeState),
})
export type HealthSnapshot = z.infer<typeof HealthSnapshot>

/** So many an `Inventory` holds, unless it is the last. */
export const inventoryPage = 500

/** Answer to `inventory`, in the order of ids, without what was purged. `making` and `purging`: a job is at it. */
export const Inventory = z
  .array(
    z.strictObject({
      id: Id,
      name: z.string().max(253),
      state: z.enum(['making', 'active', 'suspended', 'trashed', 'purging']),
    }),
  )
  .max(inventoryPage)
export type Inventory = z.infer<typeof Inventory>

/** Answer to `account`; null: this machine has no such tenant. */
export const Account = z.strictObject({ uid: z.int() }).nullable()
export type Account = z.infer<typeof Account>

/** Answer to `output`: a page of text without control characters but line ends and tabs. */
export const RunOutput = z.strictObject({
  text: z.string(),
  /** Place in the whole where the text begins: above `after` when what came before is not kept. */
  from: z.int().min(0),
  next: z.int().min(0),
})
export type RunOutput = z.infer<typeof RunOutput>

/** Answer to `inspect drift`: managed places that differ from what the registry wants. */
export const DriftReport = z.array(z.strictObject({ resource: z.string(), changes: z.array(Change) }))
export type DriftReport = z.infer<typeof DriftReport>

/** Answer to `drift_page`. `next`: the last tenant that was looked at; null after the last of all. */
export const DriftPage = z.strictObject({ items: DriftReport, next: TenantName.nullable() })
export type DriftPage = z.infer<typeof DriftPage>

/** Answer to `plan`: the changes of each job, in their order. */
export const PlanReport = z.array(z.array(Change))
export type PlanReport = z.infer<typeof PlanReport>

/** Answer to `new_epoch`. */
export const NewEpoch = z.strictObject({ epoch: Epoch })

/** Answer to `verify_root`. */
export const RootCheck = z.strictObject({
  ok: z.boolean(),
  retryAfterSeconds: z.number().nullable(),
  /** `closed`: root has not opened setup to the network within the last day. */
  refused: z.enum(['password', 'code', 'closed']).nullable(),
})
export type RootCheck = z.infer<typeof RootCheck>

/** Answer to `inspect audit`: whether the root side's log is whole, and what it holds of the panel's trail. */
export const MirrorReport = z.strictObject({
  ok: z.boolean(),
  lines: z.int(),
  /** Number of the first line that is kept. */
  from: z.int(),
  head: AuditHead,
  /** The file cannot be shortened or written over, as the file system itself sees to. */
  appendOnly: z.boolean(),
  end: TrailEnd,
  /** Entries of the panel's trail, spread over all of it, the last among them. */
  checkpoints: z.array(TrailEnd).max(1000),
  /** The first 100. */
  problems: z
    .array(
      z.strictObject({
        line: z.int(),
        problem: z.enum(['changed', 'missing', 'moved', 'truncated', 'head', 'forked']),
        message: Text,
      }),
    )
    .max(100),
})
export type MirrorReport = z.infer<typeof MirrorReport>

/** Health: how the machine is, and what on it is not as it should be. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { kindOf, type Operation } from '../../contract/operation.ts'
import { Id, Line } from '../../contract/values.ts'
import { DriftReport, HealthSnapshot, type OwnFilesVerb } from '../../contract/wire.ts'
import { nameOf } from '../actor.ts'
import { type Accepted, Count } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { repair as repairDomain } from '../domain/operations.ts'
import type { Countable } from '../kind-numbers.ts'
import { conflict, notFound } from '../refusals.ts'
import type { Scope } from '../scope.ts'
import { adopt as adoptTenant, repair as repairTenant } from '../tenant/operations.ts'
import { mayList, scopeOf } from '../visibility.ts'
import { Finding } from './findings.ts'
import { inventoryDiff } from './inventory-diff.ts'

export const get = defineOperation({
  name: 'health.get',
  summary: 'Show load, memory, disks, pressure and services of the machine',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health',
  positional: [],
  input: () => z.strictObject({}),
  output: () => HealthSnapshot,
  run: ({ machine }) => machine.health(),
})

/** Counting ends here: what it costs is the same for every store that is larger. */
const mostCounted = 10_000

export const counts = defineOperation({
  name: 'health.counts',
  summary: 'Count the tenants, domains, packages and users there are',
  description: `Counts what is alive and what you may list, up to ${mostCounted} of each kind.`,
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /health/counts',
  positional: [],
  columns: ['kind', 'count', 'isMore'],
  input: () => z.strictObject({}),
  output: () =>
    z.strictObject({
      items: z.array(
        z.strictObject({
          kind: z.string(),
          count: Count,
          /** There are more than were counted. */
          isMore: z.boolean(),
        }),
      ),
      nextCursor: z.null(),
    }),
  async run(context) {
    const { actor, kinds } = context
    const items = kinds.flatMap(({ name, counted }) =>
      counted !== undefined && mayList(actor, name) ? [countOf(name, counted(context), scopeOf(actor))] : [],
    )
    return { items: await Promise.all(items), nextCursor: null }
  },
})

async function countOf(kind: string, store: Countable, scope: Scope) {
  const found = await store.count(mostCounted + 1, scope)
  return { kind, count: Math.min(found, mostCounted), isMore: found > mostCounted }
}

export const drift = defineOperation({
  name: 'health.drift',
  summary: 'Show what on the machine differs from what the panel wants',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/drift',
  positional: [],
  columns: ['resource', 'changes'],
  input: () => z.strictObject({}),
  output: () => z.strictObject({ items: DriftReport, nextCursor: z.null() }),
  async run(context) {
    const items = [...(await context.machine.drift()), ...(await inventoryDiff(context))]
    return { items, nextCursor: null }
  },
})

export const findings = defineOperation({
  name: 'health.findings',
  summary: 'Show what the watch over drift has found, without looking anew',
  description:
    'The machine is looked at all the time, a part every few minutes and all of it every four hours. tenant.repair and domain.repair put back what they name; what is told of a file of the web server, the next reload of the service puts back and keeps the text beside.',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /health/findings',
  positional: [],
  columns: ['resource', 'foundAt', 'seenAt'],
  input: () =>
    z.strictObject({
      resource: Line.max(300, { error: 'at most 300 characters' })
        .optional()
        .describe('Of this alone: "tenant acme", "domain shop.example.com", "web server", "program"'),
    }),
  output: () => z.strictObject({ items: z.array(Finding), nextCursor: z.null() }),
  run: async ({ driftFindings }, { resource }) => ({ items: await driftFindings.list(resource), nextCursor: null }),
})

const ofThing = /^(?:web server|program|(tenant|domain) ([a-z0-9.-]{1,253}))$/
const thing = {
  resource: z
    .string()
    .regex(ofThing, { error: '"web server", "program", "tenant acme" or "domain shop.example.com"' })
    .describe('As health.findings names it: "tenant acme", "domain shop.example.com", "web server", "program"'),
}

const Begun = z.strictObject({
  /** null: it is done at once, without a job. */
  jobId: Id.nullable(),
})

export const repair = defineOperation({
  name: 'health.repair',
  summary: 'Put back what differs of one thing, as health.findings names it',
  description:
    'Of a tenant or domain it is the job of tenant.repair or domain.repair. Of the web server it is done at once, as at a start: a plan shows what was seen last, and the next look what is left. What differs of the program, install.sh puts back.',
  effect: 'machine',
  policy: { scopes: ['global'] },
  http: 'POST /health/repair',
  positional: ['resource'],
  input: () => z.strictObject({ ...thing, adopted: z.boolean().default(false).describe('Also what was adopted') }),
  output: () => Begun,
  async run(context, { resource, adopted }) {
    const { kind, name } = partsOf(resource)
    if (kind === 'tenant') return await begin(context, repairTenant, { tenant: name, adopted })
    if (kind === 'domain') return await begin(context, repairDomain, { domain: name })
    if (resource === program)
      conflict(
        'repair the program',
        'its units and what lies beside them are the installer’s',
        'Run install.sh of the version that is installed as root: it puts back what differs. A setting of your own that lies beside a unit can be taken away or adopted.',
      )
    return await ownFiles(context, webServer, adopted ? 'repair_all' : 'repair')
  },
})

export const adopt = defineOperation({
  name: 'health.adopt',
  summary: 'Adopt the text that somebody else wrote into a file of one thing',
  description:
    "What can be adopted: the configuration of a tenant's PHP, which is tenant.adopt, the page of suspended sites, of the web server, and what root has set in or beside the units of the program. Everything else keeps tenants, sites or root apart and can only be put back.",
  effect: 'machine',
  policy: { scopes: ['global'] },
  stepUp: true,
  http: 'POST /health/adopt',
  positional: ['resource'],
  input: () => z.strictObject(thing),
  output: () => Begun,
  async run(context, { resource }) {
    const { kind, name } = partsOf(resource)
    if (kind === 'tenant') return await begin(context, adoptTenant, { tenant: name })
    if (kind === 'domain')
      conflict(`adopt what differs of ${resource}`, 'it has no text of its own', 'Put it back: domain.repair.')
    return resource === program
      ? await ownFiles(context, program, 'adopt_program')
      : await ownFiles(context, webServer, 'adopt')
  },
})

const webServer = 'web server'
/** What the installer puts in place. */
const program = 'program'

function partsOf(resource: string): { readonly kind: string | undefined; readonly name: string } {
  const [, kind, name = ''] = ofThing.exec(resource) ?? []
  return { kind, name }
}

async function begin<I extends z.ZodObject>(
  context: Context,
  { name, input, run }: Operation<Context, I, typeof Accepted>,
  given: Readonly<Record<string, unknown>>,
) {
  const { data } = input.safeParse(given)
  if (data === undefined) return notFound(kindOf({ name }), String(Object.values(given)[0]))
  return { jobId: Id.parse((await run(context, data)).jobId) }
}

async function ownFiles({ machine, driftFindings, actor }: Context, resource: string, what: OwnFilesVerb) {
  const seen = (await driftFindings.list(resource)).flatMap(({ changes }) => changes)
  const wanted = what.startsWith('adopt') ? seen.map((change) => ({ ...change, action: 'adopt' as const })) : seen
  if (!machine.ownFiles(what, nameOf(actor), wanted))
    throw new WcpError('unavailable', 'Cannot reach the root side, or it changes nothing now')
  await driftFindings.lookAgain()
  return { jobId: null }
}

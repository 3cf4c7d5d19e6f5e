/** Webhooks: who is told what happens, what was sent, and sending it again. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, Flag, listInput, pageOf } from '../listing.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import {
  Delivery,
  DeliveryState,
  EventPatterns,
  TargetUrl,
  testEvent,
  Webhook,
  WebhookName,
  WebhookRef,
} from './schema.ts'
import { matches } from './store.ts'

const read = { scopes: ['global'] } as const
/** The person who chooses the address can read all events. */
const change = { scopes: ['global'], isSensitive: true } as const
const target = { webhook: WebhookRef }
const most = 50

export const list = defineOperation({
  name: 'webhook.list',
  summary: 'List webhooks',
  effect: 'read',
  policy: read,
  http: 'GET /webhooks',
  positional: [],
  columns: ['name', 'url', 'events', 'isActive', 'failingSince'],
  input: () => z.strictObject({ ...deletedInput, ...listInput }),
  output: () => pageOf(Webhook),
  run: ({ webhooks }, query) => webhooks.list(query),
})

export const get = defineOperation({
  name: 'webhook.get',
  summary: 'Show a webhook, but not its secret',
  effect: 'read',
  policy: read,
  http: 'GET /webhooks/{webhook}',
  positional: ['webhook'],
  input: () => z.strictObject(target),
  output: () => Webhook,
  run: (context, { webhook }) => livingOrTrashed(context, webhook),
})

export const create = defineOperation({
  name: 'webhook.create',
  summary: 'Send events to an address of yours; the secret that signs them is shown once',
  description:
    'Events are the ends of jobs (job.succeeded, job.failed, job.cancelled, job.stalled), conditions (condition.raised, condition.cleared) and each change that was accepted, under the name of its operation. ' +
    'They are sent at least once, by HTTPS POST, signed as standardwebhooks.com has it: check webhook-signature, and forget a webhook-id that came before.',
  effect: 'write',
  policy: change,
  answersOnce: true,
  stepUp: true,
  http: 'POST /webhooks',
  positional: ['name', 'url'],
  input: () => z.strictObject({ name: WebhookName, url: TargetUrl, events: EventPatterns.default(['*']) }),
  output: () => z.strictObject({ id: Id, secret: z.string() }),
  async run(context, input) {
    const what = `create webhook "${input.name}"`
    await demandFree(context, what, input.name)
    demandEvents(context, what, input.events)
    await demandRoom(context, what)
    const id = context.newId()
    return { id, secret: await context.webhooks.insert(id, input) }
  },
})

export const update = defineOperation({
  name: 'webhook.update',
  summary: 'Change the address or the events of a webhook, or switch it on or off',
  description: 'Switched off, nothing new is queued for it; what was queued waits.',
  effect: 'write',
  policy: change,
  stepUp: true,
  http: 'PATCH /webhooks/{webhook}',
  positional: ['webhook'],
  input: () =>
    z.strictObject({
      ...target,
      name: WebhookName.optional(),
      url: TargetUrl.optional(),
      events: EventPatterns.optional(),
      isActive: Flag.optional().describe('Whether events are sent'),
    }),
  output: () => Done,
  async run(context, { webhook, ...values }) {
    const { id, name } = await context.webhooks.get(webhook)
    const what = `update webhook "${name}"`
    if (values.name !== undefined && values.name !== name) await demandFree(context, what, values.name)
    if (values.events !== undefined) demandEvents(context, what, values.events)
    await context.webhooks.update(id, values)
    return { id }
  },
})

export const remove = defineOperation({
  name: 'webhook.delete',
  summary: 'Move a webhook to the trash; what waits to be sent to it is not sent any more',
  effect: 'write',
  policy: change,
  stepUp: true,
  confirm:
    'Move this webhook to the trash? It can be restored within 30 days; what waits to be sent to it is not sent any more.',
  http: 'DELETE /webhooks/{webhook}',
  positional: ['webhook'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run({ webhooks }, { webhook }) {
    const one = await webhooks.get(webhook)
    await webhooks.remove(one)
    return { id: one.id }
  },
})

export const restore = defineOperation({
  name: 'webhook.restore',
  summary: 'Bring a webhook back from the trash',
  description: 'With its secret, and with what was sent to it. Events of the meantime are not sent.',
  effect: 'write',
  policy: change,
  stepUp: true,
  http: 'POST /webhooks/{webhook}/restore',
  positional: ['webhook'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, { webhook }) {
    const one = await context.webhooks.get(webhook, { deleted: true })
    const what = `restore webhook "${one.name}"`
    await demandFree(context, what, one.name)
    await demandRoom(context, what)
    await context.webhooks.restore(one)
    return { id: one.id }
  },
})

export const test = defineOperation({
  name: 'webhook.test',
  summary: 'Send an event that shows whether a webhook works',
  effect: 'write',
  policy: read,
  http: 'POST /webhooks/{webhook}/test',
  positional: ['webhook'],
  input: () => z.strictObject(target),
  output: () => z.strictObject({ id: Id, delivery: Id }),
  async run({ webhooks }, { webhook }) {
    const { id, name, isActive } = await webhooks.get(webhook)
    if (!isActive) conflict(`test webhook "${name}"`, 'it is switched off', 'Switch it on first.')
    return { id, delivery: await webhooks.queue(id, { type: testEvent, data: { webhook: name } }) }
  },
})

export const deliveries = defineOperation({
  name: 'webhook.deliveries',
  summary: 'List what was sent to a webhook, with every try, the newest first',
  effect: 'read',
  policy: read,
  http: 'GET /webhooks/{webhook}/deliveries',
  positional: ['webhook'],
  columns: ['createdAt', 'event', 'state', 'attempts', 'id'],
  input: () =>
    z.strictObject({
      ...target,
      state: DeliveryState.optional().describe('Deliveries in this state only'),
      ...listInput,
    }),
  output: () => pageOf(Delivery),
  async run({ webhooks }, { webhook, ...query }) {
    const { id } = await livingOrTrashed({ webhooks }, webhook)
    return webhooks.deliveries({ ...query, webhook: id })
  },
})

export const redeliver = defineOperation({
  name: 'webhook.redeliver',
  summary: 'Send a delivery again, with the same id',
  effect: 'write',
  policy: read,
  http: 'POST /webhooks/{webhook}/deliveries/{delivery}/redeliver',
  positional: ['webhook', 'delivery'],
  input: () => z.strictObject({ ...target, delivery: Id.describe('Delivery, by id') }),
  output: () => Done,
  async run({ webhooks }, { webhook, delivery }) {
    const { id } = await webhooks.get(webhook)
    await webhooks.redeliver(id, delivery)
    return { id: delivery }
  },
})

async function livingOrTrashed({ webhooks }: Pick<Context, 'webhooks'>, ref: string): Promise<Webhook> {
  return (await webhooks.find(ref)) ?? (await webhooks.get(ref, { deleted: true }))
}

async function demandRoom({ webhooks }: Context, what: string): Promise<void> {
  if ((await webhooks.count()) >= most)
    throw new WcpError('limit_reached', `Cannot ${what}: there are ${most} already`, {
      help: 'Delete one that is not needed any more.',
    })
}

async function demandFree({ webhooks }: Context, what: string, name: string): Promise<void> {
  if (await webhooks.find(name)) taken(what, 'name', name, 'a name that no other webhook has')
}

function demandEvents({ events }: Context, what: string, wanted: readonly string[]): void {
  const wrong = wanted.flatMap((pattern, place) =>
    events.some((event) => matches(pattern, event))
      ? []
      : [
          {
            field: `events.${place}`,
            problem: `"${pattern}" is no event`,
            accepted: 'ends of jobs and names of changes',
          },
        ],
  )
  if (wrong.length > 0) badInput(what, ...wrong)
}

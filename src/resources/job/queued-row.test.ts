import { expectTypeOf, it } from 'vitest'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { domainUpdate } from '../domain/jobs.ts'
import type { QueuedRow } from './queued-row.ts'

type RowOf<Store extends { update(row: never, ...more: never[]): unknown }> = Parameters<Store['update']>[0]

it('only a row with a queued job can change its wishes, and only one of its own kind', () => {
  expectTypeOf<RowOf<Context['domains']>>().toEqualTypeOf<QueuedRow<'domain'>>()
  expectTypeOf<RowOf<Context['tenants']>>().toEqualTypeOf<QueuedRow<'tenant'>>()
  expectTypeOf<{ readonly id: Id }>().not.toExtend<QueuedRow<'domain'>>()
  expectTypeOf<QueuedRow<'tenant'>>().not.toExtend<QueuedRow<'domain'>>()
})

it('the change of a job gets the row of that job', () => {
  const queue = (enqueue: Context['enqueue'], job: { tenant: Id; domain: Id }) =>
    enqueue(domainUpdate, { ...job, aliases: [], php: null }, async (row) => {
      expectTypeOf(row).toEqualTypeOf<QueuedRow<'domain'>>()
    })
  expectTypeOf(queue).returns.resolves.toEqualTypeOf<Id>()
})

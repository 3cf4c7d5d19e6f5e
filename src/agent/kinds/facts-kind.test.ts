/** A kind that is a list of facts, made up for it: notes, of which a tenant has three at most. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { Id, TenantName } from '../../contract/values.ts'
import type { Registry, State, ThingRecord } from '../jobs/registry.ts'
import type { Machine } from '../os/machine.ts'
import type { Json, Step } from '../steps/step.ts'
import { factsKind } from './facts-kind.ts'
import type { AnyProvisioner, World } from './provisioner.ts'

const [acme, other, a, b, c, d] = ['1', '2', 'a', 'b', 'c', 'd'].map((digit) =>
  Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`),
) as [Id, Id, Id, Id, Id, Id]
const status = { queued: 'pending', succeeded: 'active', failed: 'failed' }
const common = { kind: 'note', destructive: false, brake: 'changes', timeoutSeconds: 60, status } as const
const apply = defineJob({
  type: 'note.put',
  payload: z.strictObject({ tenant: Id, note: Id, text: z.string() }),
  ...common,
})
const remove = defineJob({ type: 'note.drop', payload: z.strictObject({ tenant: Id, note: Id }), ...common })
const said = (name: string) => ({ name }) as Step
const notes = factsKind({
  ...{ apply, remove, mostOfTenant: 3, name: ({ text }) => `note ${text}` },
  facts: (_, tenant, all) => [said(`${tenant.name} has ${all.map(({ text }) => text).join()}`)],
  gone: (_, tenant, { text }) => [said(`${tenant.name} has no ${text}`)],
})
const plain = factsKind({ apply, remove, mostOfTenant: 3, name: ({ text }) => text, facts: () => [said('all')] })

const machine = {} as Machine // the facts of notes are words
const payload = (note: Id, text: string, tenant = acme) => ({ tenant, note, text })
const thing = (id: Id, text: string, more: Partial<ThingRecord> = {}): ThingRecord => ({
  ...{ id, kind: 'note', tenant: acme, name: `note ${text}`, record: payload(id, text) },
  ...more,
})

function world(things: readonly ThingRecord[], state: State = 'active'): World {
  const tenant = (id: Id) => (id === acme || id === other) && { id, name: TenantName.parse('acme'), uid: 20_001, state }
  const registry = {
    tenant: (id: Id) => tenant(id) || undefined,
    thing: (id: Id) => things.find((one) => one.id === id),
    thingsOf: (of: Id, kind: string) => things.filter((one) => one.tenant === of && one.kind === kind),
  }
  return { registry: registry as unknown as Registry, machine } as World // all that is asked
}

function provisionerOf(type: string, { provisioners }: typeof notes = notes): AnyProvisioner {
  const found = provisioners[type]
  if (found === undefined) throw new Error(`there is no ${type}`)
  return found
}

/** What the job brings about, and what the registry is told. */
async function done(type: 'note.put' | 'note.drop', given: object, things: readonly ThingRecord[], kind = notes) {
  const provisioner = provisionerOf(type, kind)
  const target = await provisioner.target(given, world(things))
  const told: unknown[] = []
  const registry = {
    putThing: (one: unknown) => told.push(['put', one]),
    dropThing: (id: unknown) => told.push(['drop', id]),
  } as unknown as Registry
  provisioner.settle(registry, JSON.parse(JSON.stringify(target)))
  return { steps: provisioner.steps(target, machine).map(({ name }) => name), told, target }
}

describe('putting one', () => {
  it('states all of the tenant, in the order of ids, and is kept as it is', async () => {
    const things = [thing(c, 'three'), thing(a, 'one'), thing(d, 'other', { kind: 'other' })]
    expect(await done('note.put', payload(b, 'two'), things)).toMatchObject({
      steps: ['acme has one,two,three'],
      told: [['put', thing(b, 'two')]],
    })
  })

  it('that is there changes it', async () => {
    expect(await done('note.put', payload(a, 'new'), [thing(a, 'one'), thing(b, 'two')])).toMatchObject({
      steps: ['acme has new,two'],
      told: [['put', thing(a, 'new')]],
    })
  })

  it('is refused beyond the number of a tenant, and changing is not', async () => {
    const things = [thing(a, 'one'), thing(b, 'two'), thing(c, 'three')]
    await expect(done('note.put', payload(d, 'four'), things)).rejects.toMatchObject({
      code: 'limit_reached',
      message: 'Cannot add a note: tenant "acme" has 3',
    })
    expect((await done('note.put', payload(d, 'four'), things.slice(1))).steps).toEqual(['acme has two,three,four'])
    expect((await done('note.put', payload(a, 'new'), things)).steps).toEqual(['acme has new,two,three'])
  })
})

describe('removing one', () => {
  it('states its absence and what is left', async () => {
    expect(await done('note.drop', { tenant: acme, note: a }, [thing(b, 'two'), thing(a, 'one')])).toMatchObject({
      steps: ['acme has no one', 'acme has two'],
      told: [['drop', a]],
      target: { tenant: { id: acme, name: 'acme', uid: 20_001, gid: 20_001 }, id: a },
    })
  })

  it('that is not there is no mistake: it may have been asked for before', async () => {
    expect((await done('note.drop', { tenant: acme, note: a }, [thing(b, 'two')])).steps).toEqual(['acme has two'])
  })

  it('says no more than all where nothing else is left of one', async () => {
    expect((await done('note.drop', { tenant: acme, note: a }, [thing(a, 'one')], plain)).steps).toEqual(['all'])
  })
})

it.each(['note.put', 'note.drop'] as const)('%s does not find what is of another tenant or kind', async (type) => {
  const given = type === 'note.put' ? payload(a, 'x') : { tenant: acme, note: a }
  for (const foreign of [thing(a, 'one', { tenant: other }), thing(a, 'one', { kind: 'other' })])
    await expect(done(type, given, [foreign])).rejects.toMatchObject({
      code: 'not_found',
      message: `Cannot find note "${a}" of tenant "${acme}" on this machine`,
    })
})

it.each<[State, boolean]>([
  ['making', false],
  ['active', true],
  ['suspended', true],
  ['trashed', false],
  ['purging', false],
])('is there for a tenant that is %s: %s', async (state, isThere) => {
  const asked = provisionerOf('note.put').target(payload(a, 'one'), world([], state))
  if (isThere) expect(await asked).toBeDefined()
  else await expect(asked).rejects.toMatchObject({ code: 'conflict' })
})

it('goes and comes with its tenant', () => {
  const tenant = { id: acme, name: TenantName.parse('acme'), uid: 20_001, gid: 20_001 }
  const records: readonly Json[] = [payload(a, 'one'), payload(b, 'two')]
  const names = (steps: readonly Step[]) => steps.map(({ name }) => name)

  expect(notes.kind).toBe('note')
  expect(names(notes.facts(machine, tenant, records))).toEqual(['acme has one,two'])
  expect(names(notes.absence(machine, tenant, records))).toEqual(['acme has no one', 'acme has no two', 'acme has '])
  expect(names(plain.absence(machine, tenant, records))).toEqual(['all'])
})

it('keeps nothing of a job whose own is not among those of its tenant', () => {
  const target = { tenant: {}, id: a, all: [payload(b, 'two')], gone: [] }
  const registry = { putThing: () => expect.unreachable() } as unknown as Registry
  expect(() => provisionerOf('note.put').settle(registry, target as unknown as Json)).toThrow(
    'a note is not among those of its tenant',
  )
})

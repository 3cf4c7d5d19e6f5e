import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { operationsFor } from '../../contract/operation.ts'
import { formValues, inputOf, valuesFrom } from './form-values.ts'

const define = operationsFor<never>()
const input = () =>
  z.strictObject({
    name: z.string().min(3),
    words: z.array(z.string()).optional(),
    memMb: z.int().nullable().optional(),
    php: z.enum(['8.2', '8.4']).nullable().optional(),
    open: z.boolean().optional(),
    main: z.literal(true).optional(),
    owner: z.string().optional(),
  })
const policy = { scopes: ['global'] } as const
const rest = { summary: 'x', policy, positional: [], output: () => z.any(), run: () => Promise.resolve({}) } as const
const create = define({ ...rest, name: 'box.create', effect: 'write', http: 'POST /boxes', input })
const update = define({ ...rest, name: 'box.update', effect: 'write', http: 'PATCH /boxes/{name}', input })

describe('inputOf', () => {
  it('reads a form that was filled in', () => {
    const values = formValues({
      _do: 'run',
      name: ' blog ',
      words: 'a\r\n\r\n b ',
      memMb: '64',
      php: 'none',
      open: 'true',
    })

    expect(inputOf(create, values)).toEqual({ name: 'blog', words: ['a', 'b'], memMb: 64, php: null, open: true })
  })

  it('leaves out what was left empty, but not what is needed', () => {
    const values = formValues({ name: '', words: '', memMb: '', php: '', owner: '' })

    expect(inputOf(create, values)).toEqual({ name: '' })
  })

  it('passes on what it does not know, and numbers that are none, for the schema to refuse', () => {
    expect(inputOf(create, { name: 'blog', memMb: '1e9', evil: 'x' })).toEqual({
      name: 'blog',
      memMb: '1e9',
      evil: 'x',
    })
  })

  it('sends only what a change has changed, an emptied field too', () => {
    const present = valuesFrom(update, {
      name: 'blog',
      words: ['a'],
      memMb: 64,
      php: '8.4',
      open: true,
      main: true,
      ownerEmail: 'ann@example.com',
    })
    expect(present).toMatchObject({ words: 'a', memMb: '64', owner: 'ann@example.com' })

    expect(inputOf(update, present, present)).toEqual({ name: 'blog' })
    const { open: _, main: __, ...unticked } = present
    expect(inputOf(update, { ...unticked, memMb: '', words: '' }, present)).toEqual({
      name: 'blog',
      words: [],
      memMb: null,
      open: false,
    })
  })
})

describe('boxes of which some are ticked at first', () => {
  const features = z.array(z.enum(['api', 'ssh'])).default(['api', 'ssh'])
  const form = define({
    ...rest,
    name: 'box.make',
    effect: 'write',
    http: 'POST /boxes',
    input: () => z.strictObject({ features }),
  })

  it('are none when none is ticked, and what they are by default when the form has none', () => {
    expect(inputOf(form, formValues({ features: '' }))).toEqual({ features: [] })
    expect(inputOf(form, formValues({ features: ['', 'ssh'] }))).toEqual({ features: ['ssh'] })
    expect(inputOf(form, formValues({}))).toEqual({})
  })
})

import { describe, expect, it } from 'vitest'
import { jobContracts } from '../resources/jobs.ts'
import { activeJobStates, jobTransitions, mayBecome, resourceOf } from './job.ts'
import { Id } from './values.ts'

const tenant = Id.parse('11111111-1111-4111-8111-111111111111')
const domain = Id.parse('22222222-2222-4222-8222-222222222222')

describe('the life of a job', () => {
  it('leads from every active state to an end, and from no end anywhere', () => {
    const ends = Object.entries(jobTransitions).filter(([, next]) => next.length === 0)
    expect(ends.map(([state]) => state)).toEqual(['succeeded', 'failed', 'cancelled'])
    for (const state of activeJobStates) expect(mayBecome(state, 'failed')).toBe(true)
  })

  it('never runs a finished job again', () => {
    expect(mayBecome('succeeded', 'running')).toBe(false)
    expect(mayBecome('cancelled', 'running')).toBe(false)
  })
})

describe('job contracts', () => {
  it.each(Object.entries(jobContracts))(
    '%s is registered under its own type and is about its own row',
    (type, contract) => {
      expect(contract.type).toBe(type)
      const own = { tenant, domain, [contract.kind]: contract.kind === 'tenant' ? tenant : domain }
      expect(resourceOf(contract, own)).toBe(own[contract.kind])
    },
  )

  it.each(Object.entries(jobContracts))('%s names its tenant and what it is about', (type, contract) => {
    const keys = Object.keys(contract.payload.shape)
    expect(keys).toEqual(expect.arrayContaining(['tenant', contract.kind, ...(contract.beside ? ['run'] : [])]))
    expect(type.split('.')[0]).toBe(contract.kind)
  })

  it.each(Object.entries(jobContracts))('%s refuses keys it does not know', (_type, contract) => {
    const { error } = contract.payload.safeParse({ tenant, domain, uid: 0 })
    expect(error?.issues.some((issue) => issue.code === 'unrecognized_keys')).toBe(true)
  })

  it('a domain job without a domain is a mistake of ours', () => {
    expect(() => resourceOf({ kind: 'domain' }, { tenant })).toThrow()
  })
})

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { parseJob } from './parse-job.ts'

const tenant = randomUUID()
const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const create = { tenant, name: 'acme', limits }

it('gives the payload as its contract has it, with who does it', () => {
  expect(parseJob('tenant.create', create)).toMatchObject({
    payload: create,
    provisioner: { contract: { type: 'tenant.create' } },
  })
})

it.each<[string, string, unknown, RegExp]>([
  ['there is no such job', 'tenant.burn', create, /^Cannot do "tenant.burn": there is no such job$/],
  ['it is nothing', 'tenant.create', undefined, /^Cannot do "tenant.create": payload: /],
  ['it has a key too many', 'tenant.create', { ...create, uid: 0 }, /^Cannot do "tenant.create": payload: .*"uid"/],
  ['a field is wrong', 'tenant.create', { ...create, name: '../etc' }, /^Cannot do "tenant.create": name: /],
  [
    'a field of a field is wrong',
    'tenant.create',
    { ...create, limits: { ...limits, memMb: -1 } },
    /^Cannot do "tenant.create": limits\.memMb: /,
  ],
])('says what is wrong: %s', (_, type, payload, message) => {
  expect(parseJob(type, payload)).toMatchObject({
    failure: { code: 'bad_input', message: expect.stringMatching(message) },
  })
})

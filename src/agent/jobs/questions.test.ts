import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { WcpError } from '../../contract/errors.ts'
import { Id } from '../../contract/values.ts'
import { AgentMessage } from '../../contract/wire.ts'
import { failureOf } from './failure.ts'
import { Questions } from './questions.ts'

const ask = Id.parse(randomUUID())

/** What is sent for an answer, which has to be of the grammar in any case. */
async function sent(work: () => Promise<unknown>): Promise<unknown> {
  const said: AgentMessage[] = []
  new Questions((message) => said.push(message)).answer(ask, work)
  await turn()
  return said.map((message) => AgentMessage.parse(JSON.parse(JSON.stringify(message))))
}

it('answers with what was found, also with nothing', async () => {
  expect(await sent(async () => ({ a: 1 }))).toEqual([{ t: 'answer', ask, value: { a: 1 }, failure: null }])
  for (const nothing of [null, undefined])
    expect(await sent(async () => nothing)).toEqual([{ t: 'answer', ask, value: null, failure: null }])
  expect(await sent(async () => 0)).toMatchObject([{ value: 0 }])
})

it('tells what went wrong', async () => {
  const why = new WcpError('not_found', 'Cannot find it')
  expect(await sent(() => Promise.reject(why))).toEqual([
    { t: 'answer', ask, value: null, failure: failureOf(why, null) },
  ])
})

it('says so when an answer is longer than a message may be, instead of a part of it', async () => {
  expect(await sent(async () => 'x'.repeat(256 * 1024))).toMatchObject([
    { value: null, failure: { code: 'too_large' } },
  ])
})

it('has room again after sixteen answers that went wrong', async () => {
  const codes: (string | undefined)[] = []
  const questions = new Questions((message) => codes.push(message.t === 'answer' ? message.failure?.code : 'none'))
  for (let number = 0; number < 17; number++)
    questions.answer(ask, () => Promise.reject(new WcpError('not_found', 'Cannot find it')))
  expect(codes).toEqual(['busy'])
  await turn()
  questions.answer(ask, async () => 1)
  await turn()
  expect(codes).toEqual(['busy', ...Array(16).fill('not_found'), undefined])
})

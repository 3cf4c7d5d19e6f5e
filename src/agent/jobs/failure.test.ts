import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { WcpError } from '../../contract/errors.ts'
import { Failure } from '../../contract/wire.ts'
import { failureOf } from './failure.ts'

it('says what the system refused, before a step and in one', () => {
  const refused = thrownBy(() => readFileSync('/nowhere'))

  expect(failureOf(refused, null).message).toBe(
    "Cannot prepare the job: ENOENT: no such file or directory, open '/nowhere'",
  )
  expect(failureOf(refused, 'home').message).toBe(
    'Cannot bring about "home": ENOENT: no such file or directory, open \'/nowhere\'',
  )
})

it('keeps to itself what is wrong in the code, before a step', () => {
  for (const error of [new TypeError('x is not a function'), thrownBy(() => new URL('x')), 'thrown', undefined])
    expect(failureOf(error, null)).toMatchObject({ code: 'internal', message: 'Cannot prepare the job' })
})

it('takes an error of its own at its word, with its cause', () => {
  const cause = new Error('the first line\nand more')

  expect(failureOf(new WcpError('conflict', 'Cannot take the name', { cause }), null)).toMatchObject({
    step: null,
    code: 'conflict',
    message: 'Cannot take the name: the first line',
  })
})

it('has the exit code of a command beside the words', () => {
  const ended = new WcpError('machine_failed', 'The command ended with exit code 3', { details: { exit: 3 } })

  expect(Failure.parse(failureOf(ended, 'command'))).toMatchObject({ exit: 3 })
  expect(Failure.parse(failureOf(new WcpError('conflict', 'Cannot'), null))).not.toHaveProperty('exit')
})

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

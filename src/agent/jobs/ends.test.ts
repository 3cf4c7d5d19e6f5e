import { expect, it } from 'vitest'
import type { AgentMessage } from '../../contract/wire.ts'
import { Ends } from './ends.ts'
import type { Journal, JournaledJob } from './journal.ts'

const limit = 200

/** Ends that the panel has not confirmed, oldest first, as the journal gives them. */
function endsOf(untold: JournaledJob[]) {
  const told: AgentMessage[] = []
  const journal = { untold: (most: number) => untold.slice(0, most) } as unknown as Journal
  const ends = new Ends(
    () => journal,
    (message) => told.push(message),
  )
  const confirm = (job: JournaledJob) => {
    untold.splice(untold.indexOf(job), 1)
    ends.acknowledged(job.id)
  }
  return { ends, told, confirm }
}

function job(id: string, given: Partial<JournaledJob> = {}): JournaledJob {
  return { id, token: 7, state: 'succeeded', failure: null, ...given } as JournaledJob
}

const many = (count: number) => Array.from({ length: count }, (_, index) => job(`job-${index}`))

it('reports each way in which a job ends, with its failure, and nothing of one that goes on', () => {
  const { ends, told } = endsOf([])
  const failure = { code: 'conflict' } as unknown as JournaledJob['failure']

  for (const state of ['queued', 'running', 'undoing', 'succeeded', 'failed', 'stuck'])
    ends.tell(job(state, { state: state as JournaledJob['state'], failure }))

  expect(told).toEqual(['succeeded', 'failed', 'stuck'].map((id) => ({ t: 'finished', job: id, token: 7, failure })))
})

it('sends the next ones when all that were sent are confirmed, and each once', () => {
  const untold = many(limit + 2)
  const { ends, told, confirm } = endsOf(untold)
  const [first, ...others] = untold.slice(0, limit)

  ends.tellUntold()
  expect(told).toHaveLength(limit)
  for (const one of others) confirm(one)
  expect(told).toHaveLength(limit)
  if (first) confirm(first)

  expect(told.map((message) => 'job' in message && message.job)).toEqual(many(limit + 2).map(({ id }) => id))
})

it('sends nothing again for the confirmation of an end that was reported as it came', () => {
  const { told, confirm } = endsOf(many(1))

  confirm(job('another'))

  expect(told).toEqual([])
})

it('waits at a new connection for no confirmation of an end that was forgotten since the last one', () => {
  const untold = many(limit + 2)
  const { ends, told, confirm } = endsOf(untold)
  ends.tellUntold()
  untold.shift()

  ends.forgetAwaited()
  ends.tellUntold()
  told.length = 0
  for (const one of untold.slice(0, limit)) confirm(one)

  expect(told).toMatchObject([{ job: `job-${limit + 1}` }])
})

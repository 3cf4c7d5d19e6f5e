import { expect, it } from 'vitest'
import { kindCost } from '../../src/tools/kind-cost.ts'

it('costs a kind with jobs five files of its own and a line in three others', () => {
  const { own, others } = kindCost('ssh-key')

  expect(own).toEqual([
    'src/agent/kinds/ssh-key.ts',
    'src/resources/ssh-key/jobs.ts',
    'src/resources/ssh-key/kind.ts',
    'src/resources/ssh-key/operations.ts',
    'src/resources/ssh-key/store.ts',
  ])
  // sessions are told by their key, and are a kind of their own
  expect(others.filter((path) => !path.includes('ssh-session'))).toEqual([
    'src/agent/kinds/facts-kinds.ts',
    'src/resources/index.ts',
    'src/resources/jobs.ts',
  ])
})

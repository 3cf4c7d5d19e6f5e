import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import { knownPlace } from '../auth/network.ts'
import type { PasswordHasher } from '../auth/password.ts'
import { noHashes, withHashes } from './password-hashes.ts'

const [ann, boss] = [Id.parse(randomUUID()), Id.parse(randomUUID())]
const person = {
  kind: 'user',
  id: ann,
  email: 'ann@example.com',
  permissions: 'all',
  scope: { kind: 'global' },
} as const

function hasher() {
  const asked: unknown[] = []
  const hash: PasswordHasher['hash'] = async (place, password) => {
    asked.push([place, password])
    return `hash of ${password}`
  }
  return { asked, hasher: { hash } as PasswordHasher } // nothing is verified here
}

it('runs the work again for each password, and hashes each once', async () => {
  const { asked, hasher: own } = hasher()
  let runs = 0

  const made = await withHashes(own, { kind: 'root' }, async (hashes) => {
    runs++
    return [hashes.of('one'), hashes.of('two'), hashes.of('one')]
  })

  expect(made).toEqual(['hash of one', 'hash of two', 'hash of one'])
  expect(runs).toBe(3)
  expect(asked).toEqual([
    [knownPlace('root'), 'one'],
    [knownPlace('root'), 'two'],
  ])
})

it.each<[Actor, string]>([
  [{ kind: 'root' }, 'root'],
  [person, ann],
  [{ ...person, impersonator: { id: boss, email: 'boss@example.com' } }, boss],
])('stands in the line of who really acts: %#', async (actor, who) => {
  const { asked, hasher: own } = hasher()
  await withHashes(own, actor, async (hashes) => hashes.of('x'))
  expect(asked).toEqual([[knownPlace(who), 'x']])
})

it('lets every other error through, at once', async () => {
  const { asked, hasher: own } = hasher()
  let runs = 0
  const work = async () => {
    runs++
    throw new Error('no such tenant')
  }
  await expect(withHashes(own, { kind: 'root' }, work)).rejects.toThrow('no such tenant')
  expect([runs, asked]).toEqual([1, []])
})

it('does not go round for a password that was hashed already', async () => {
  const { hasher: own } = hasher()
  let wanted: unknown
  const work = async (hashes: { of(password: string): string }) => {
    if (wanted !== undefined) throw wanted
    try {
      return hashes.of('x')
    } catch (error) {
      wanted = error
      throw error
    }
  }
  await expect(withHashes(own, { kind: 'root' }, work)).rejects.toBe(wanted)
})

it('is not there for what does not write', () => {
  expect(() => noHashes.of('x')).toThrow('of effect "write" only')
})

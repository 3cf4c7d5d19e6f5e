import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { AuditEvent } from '../audit/audit-line.ts'
import type { EngineOptions } from './engine-api.ts'
import { OwnFiles } from './own-files.ts'

function asked(ownFiles: EngineOptions['ownFiles']) {
  const noted: AuditEvent[] = []
  const log: string[] = []
  const say = (_: object, message: string) => void log.push(message)
  const options = {
    ownFiles,
    audit: { note: (event: AuditEvent) => void noted.push(event) },
    log: { info: say, warn: say, error: say },
  } as unknown as EngineOptions // the rest is not asked for
  return { files: new OwnFiles(options), noted, log }
}

it('does one thing at a time, and writes down who asked for it', async () => {
  const under = Promise.withResolvers<void>()
  const done: string[] = []
  const { files, noted, log } = asked((what) => {
    done.push(what)
    return under.promise
  })

  files.take('repair', 'ann@example.com')
  files.take('adopt', 'bob@example.com')
  expect(done).toEqual(['repair'])
  expect(noted).toEqual([{ event: 'own-files.asked', what: 'repair', by: 'ann@example.com' }])
  expect(log).toHaveLength(1)
  under.resolve()
  await files.ended()
  files.take('adopt', 'bob@example.com')
  expect(done).toEqual(['repair', 'adopt'])
})

it('does no more than twenty in an hour, whatever a panel asks for', async () => {
  let done = 0
  const { files, noted } = asked(async () => void done++)

  for (let time = 0; time < 500; time++) {
    files.take('repair', 'evil')
    await setImmediate()
  }
  expect([done, noted.length]).toEqual([20, 20])
})

it('notes why it came to nothing, and goes on', async () => {
  const { files, noted } = asked(() => Promise.reject(new Error('nginx said no')))

  files.take('repair', 'ann@example.com')
  await files.ended()
  expect(noted.at(-1)).toMatchObject({ event: 'own-files.failed', what: 'repair' })
  await setImmediate()
  files.take('repair', 'ann@example.com')
  expect(noted.filter(({ event }) => event === 'own-files.asked')).toHaveLength(2)
})

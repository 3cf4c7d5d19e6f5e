import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { Id, TenantName } from '../../contract/values.ts'
import type { Machine } from '../os/machine.ts'
import type { RunEnd, TenantRun } from '../os/run-as/tenant-run.ts'
import { endedRun } from './ended-run.ts'

const id = Id.parse(randomUUID())
const run: TenantRun = {
  ...{ id, name: TenantName.parse('acme'), uid: 20_001, gid: 20_001, php: null, directory: '/' },
  command: TenantCommand.parse(['php', '-r', 'echo 1;', "it's", '']),
  limits: { seconds: 60, memMb: null, pids: 64 },
  sliceLimits: { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null },
}
const purpose = { name: 'WordPress is there', failed: 'Cannot install it', help: 'Try again.' }
const good: RunEnd = { kind: 'exited', code: 0 }
const bad: RunEnd = { kind: 'exited', code: 3 }

/** Where the run has ended like this, and printed this; a page of output is `pageBytes` long. */
function machine(end: RunEnd | undefined, printed = '', pageBytes = 64 * 1024) {
  const stopped: unknown[] = []
  const bytes = Buffer.from(printed)
  let reads = 0
  const services = {
    runEnd: async (name: string, asked: string) => (name === run.name && asked === id ? end : undefined),
    runAs: async (asked: TenantRun) => (asked === run ? end : undefined),
    async runOutput(name: string, asked: string, from: number, most: number) {
      if (name !== run.name || asked !== id || ++reads > 1000) throw new Error('another output was asked for')
      const page = bytes.subarray(from, from + Math.min(pageBytes, most))
      return { from, bytes: page, next: from + page.length }
    },
    stopRun: async (asked: TenantRun) => void stopped.push(asked),
  }
  return { machine: { services } as unknown as Machine, stopped } // all that the step asks
}

const failure = (end: RunEnd, printed?: string, pageBytes?: number) =>
  endedRun(run, printed === undefined ? undefined : purpose)
    .apply(machine(end, printed, pageBytes).machine, null)
    .catch((error) => error)

it('has its effect once it ended well, and only then', async () => {
  const wanting = { action: 'run', diff: `php -r 'echo 1;' 'it'\\''s' ''` }
  const check = (end: RunEnd | undefined) => endedRun(run).check(machine(end).machine)

  expect(await check(good)).toBeUndefined()
  const others: (RunEnd | undefined)[] = [undefined, bad, { kind: 'killed', signal: 'SIGKILL' }, { kind: 'lost' }]
  for (const end of others) expect(await check(end)).toEqual(wanting)
  await endedRun(run).apply(machine(good).machine, null)
})

it('is named by what it is for', () => {
  expect([endedRun(run).name, endedRun(run, purpose).name]).toEqual(['command of acme has ended', purpose.name])
})

it.each<[RunEnd, string, object]>([
  [bad, 'The command ended with exit code 3', { exit: 3 }],
  [{ kind: 'killed', signal: 'SIGSEGV' }, 'The command was ended by the signal SIGSEGV', {}],
  [{ kind: 'timeout' }, 'The command was ended: it ran for longer than 60 seconds', {}],
  [{ kind: 'memory' }, 'The command was ended: it took more memory than it may', {}],
  [{ kind: 'stopped' }, 'The command was cancelled', {}],
  [{ kind: 'unstarted' }, 'The command could not be started', {}],
])('that ended otherwise fails: %j', async (end, message, details) => {
  expect(await failure(end)).toMatchObject({ code: 'machine_failed', message, details, help: 'Its output tells more.' })
})

it('of which nobody knows how it ended is not to be repeated blindly', async () => {
  expect(await failure({ kind: 'lost' })).toMatchObject({
    message: expect.stringMatching(/^The command was interrupted: /),
    help: expect.stringMatching(/never repeated by itself/),
  })
})

it.each([
  ['Error: no database\n', 'Error: no database'],
  ['one\n  two  \n \n\n', 'two'],
  ['', 'it said nothing'],
  [' \n\n', 'it said nothing'],
  ['x'.repeat(400), 'x'.repeat(300)],
])('for a purpose tells its last line: %j', async (printed, said) => {
  expect(await failure(bad, printed)).toMatchObject({
    message: `Cannot install it: ${said}`,
    help: purpose.help,
    details: { exit: 3 },
  })
})

it('for a purpose reads to the end, page by page, and keeps a bounded part of it', async () => {
  const long = `${'a line of output\n'.repeat(20_000)}the last one`
  expect((await failure(bad, long, 1000)).message).toBe('Cannot install it: the last one')
  expect((await failure(bad, `${'y'.repeat(200_000)}`, 64 * 1024)).message).toBe(
    `Cannot install it: ${'y'.repeat(300)}`,
  )
})

it('for a purpose tells how it ended where that says more', async () => {
  expect((await failure({ kind: 'timeout' }, 'half a line')).message).toBe(
    'Cannot install it: The command was ended: it ran for longer than 60 seconds',
  )
})

it('is stopped, not undone', async () => {
  const { machine: here, stopped } = machine(good)
  await endedRun(run).undo(here, null)
  expect(stopped).toEqual([run])
})

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { expect, it } from 'vitest'
import { goFirst } from './precedence.ts'

const module = new URL('precedence.ts', import.meta.url).pathname
const shown = `import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { standBack } from '${module}'
standBack()
process.stdout.write(getPriority() + ' ' + readFileSync('/proc/self/autogroup', 'utf8'))`
const argv = ['--input-type=module', '--eval', shown]
const hasSessions = existsSync('/proc/self/autogroup')

it.runIf(hasSessions)('is the lowest among the processes of its session, which stands back itself', () => {
  expect(execFileSync('/usr/bin/setsid', ['--wait', process.execPath, ...argv], { encoding: 'utf8' })).toMatch(
    /^19 \/autogroup-\d+ nice 10$/m,
  )
})

it.runIf(hasSessions)('leaves a session alone that another process leads', () => {
  // Empty, where a control group and not the session decides (sched(7)).
  const ours = () => readFileSync('/proc/self/autogroup', 'utf8')
  const before = ours()

  expect(spawnSync(process.execPath, argv, { encoding: 'utf8' }).stdout).toBe(`19 ${before}`)
  expect(ours()).toBe(before)
})

it.runIf(hasSessions && process.getuid?.() === 0)(
  'has a process go first, in its session and among others',
  async () => {
    const started = spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore' })
    try {
      const pid = started.pid ?? 0
      goFirst(pid)
      expect(getPriority(pid)).toBe(-10)
      expect(readFileSync(`/proc/${pid}/autogroup`, 'utf8')).toMatch(/^\/autogroup-\d+ nice -10$/m)
    } finally {
      started.kill()
    }
  },
)

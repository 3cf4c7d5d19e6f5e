/** A developer's first hour: one command, below /tmp, with sites that answer; and nothing left when it has ended. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchSources } from '../../dev/watch.ts'
import { processesOf } from '../support/processes.ts'
import { hosting } from '../support/requirements.ts'

const repository = join(import.meta.dirname, '../..')
const wcp = join(repository, 'src/main.ts')

it('names what an agent alone lacks in a directory that is empty, in one line', () => {
  const empty = mkdtempSync(join(tmpdir(), 'wcp-empty-'))
  const { status, stderr } = spawnSync(process.execPath, [wcp, 'agent', '--root', empty], { encoding: 'utf8' })
  rmSync(empty, { recursive: true })

  expect(stderr).toMatch(/^Cannot start: etc\/nginx\/nginx\.conf, .* missing below "\/.*npm run dev.*\n$/)
  expect(status).toBe(78)
})

describe.skipIf(hosting() !== undefined)('npm run dev', () => {
  const root = mkdtempSync(join(tmpdir(), 'wcp-dev-'))
  let dev: ChildProcess
  let said = ''

  beforeAll(async () => {
    dev = spawn(process.execPath, [join(repository, 'dev/main.ts'), root], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [dev.stdout, dev.stderr]) stream?.on('data', (chunk) => (said += chunk))
    await until('Ctrl-C ends it')
  })

  afterAll(() => {
    for (const { pid } of processesOf(root)) process.kill(pid, 'SIGKILL')
    rmSync(root, { recursive: true, force: true })
  })

  async function until(words: string): Promise<void> {
    while (!said.includes(words)) {
      if (dev.exitCode !== null) throw new Error(`it ended with ${dev.exitCode}:\n${said}`)
      await pause(20)
    }
  }

  const port = (pattern: RegExp) => Number(pattern.exec(said)?.[1])
  const page = async (host: string) => {
    const [answer] = await once(get({ host: '127.0.0.1', port: port(/test:(\d+):127/), headers: { host } }), 'response')
    return { status: answer.statusCode, text: await text(answer) }
  }
  const panel = async (path: string) => {
    const options = { host: '127.0.0.1', port: port(/panel +https:\/\/127\.0\.0\.1:(\d+)/), rejectUnauthorized: false }
    const [answer] = await once(getSecurely({ ...options, path }), 'response')
    return { status: answer.statusCode, text: await text(answer) }
  }

  it('serves the sample sites, one of them by PHP', async () => {
    const { text: words } = await page('bakery.test')

    expect(words).toMatch(/^<h1>Bakery<\/h1><p>PHP 8\.\d/)
    expect(await page('florist.test')).toEqual({ status: 200, text: '<h1>Florist</h1>\n' })
    expect((await page('garage.test')).status).toBe(200)
  })

  it('shows the panel, and lets its administrator in by the printed password', async () => {
    expect((await panel('/login')).text).toContain('Sign in')
    expect(said).toMatch(/password {2}\S{12}\n/)
    expect(said).toContain('admin@example.com, administrator')
  })

  it('is reached by wcp with --root', () => {
    const argv = ['--disable-warning=ExperimentalWarning', wcp, 'cli', '--root', root, 'tenant', 'list']
    const table = execFileSync(process.execPath, argv, { encoding: 'utf8' })

    expect(table.split('\n').flatMap((line) => /^(\w+) +- +active/.exec(line)?.[1] ?? [])).toEqual([
      'bakery',
      'florist',
      'garage',
    ])
  })

  it('takes an edited style into use', async () => {
    const now = new Date()
    utimesSync(join(repository, 'templates/styles/app.css'), now, now)

    await until('Taken into use.')

    expect((await panel('/login')).status).toBe(200)
    expect((await page('bakery.test')).status).toBe(200)
  })

  it('ends with every process at Ctrl-C', async () => {
    expect(processesOf(root).length).toBeGreaterThan(5)

    dev.kill('SIGINT')
    const [code] = await once(dev, 'close')

    expect({ code, left: processesOf(root) }).toEqual({ code: 0, left: [] })
  })

  it('leaves a directory alone that it did not make', async () => {
    const strange = join(root, 'strange')
    mkdirSync(strange)
    writeFileSync(join(strange, 'mine'), '')
    const refused = spawn(process.execPath, [join(repository, 'dev/main.ts'), strange])
    const [words, [code]] = await Promise.all([text(refused.stderr), once(refused, 'close')])

    expect({ code, words }).toEqual({ code: 1, words: expect.stringContaining('is not empty, and was not made here') })
  })
})

it('answers changes that come together once, and waits for an answer before the next', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wcp-watch-'))
  const answers: PromiseWithResolvers<void>[] = []
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  const watcher = watchSources([folder], () => {
    begun[answers.length]?.resolve()
    const answer = Promise.withResolvers<void>()
    answers.push(answer)
    return answer.promise
  })

  for (const name of ['a.ts', 'b.css', 'ignored.txt']) writeFileSync(join(folder, name), '')
  await begun[0].promise
  writeFileSync(join(folder, 'c.eta'), '')
  await pause(500)
  expect(answers).toHaveLength(1)

  answers[0]?.resolve()
  await begun[1].promise
  answers[1]?.resolve()
  await watcher.close()
  expect(answers).toHaveLength(2)
  rmSync(folder, { recursive: true })
})

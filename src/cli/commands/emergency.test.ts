import { describe, expect, it } from 'vitest'
import type { RescueAnswer, RescueRequest } from '../../contract/rescue.ts'
import { runProgram } from '../program.ts'
import { emergencyCommands } from './emergency.ts'

const done: RescueAnswer = { report: { did: ['It is done.'], next: ['Start it.'] }, problem: null }

interface Given {
  readonly typed?: string[]
  readonly isTerminal?: boolean
  readonly answer?: RescueAnswer
}

describe('wcp emergency', () => {
  async function wcp(words: string[], { typed = ['one'], isTerminal = true, answer = done }: Given = {}) {
    const asked: RescueRequest[] = []
    const written = { out: '', err: '' }
    const output = {
      out(text: string) {
        written.out += text
      },
      err(text: string) {
        written.err += text
      },
      colour: false,
    }
    const locals = emergencyCommands({
      output,
      isTerminal,
      ask: { secret: async () => typed.shift() ?? '', yes: async () => true },
      async call(request) {
        asked.push(request)
        return answer
      },
    })
    const runWords = async () => 1
    const program = { operations: [], locals, version: '0', write: output.out, writeError: output.err, runWords }
    const code = await runProgram(program, ['emergency', ...words])
    return { code, asked, ...written }
  }

  it.each([
    { words: ['suspend', 'acme'], request: { do: 'suspend', tenant: 'acme' } },
    { words: ['unsuspend', 'acme'], request: { do: 'unsuspend', tenant: 'acme' } },
    { words: ['render'], request: { do: 'render', apply: false } },
    { words: ['render', '--apply'], request: { do: 'render', apply: true } },
    { words: ['jobs'], request: { do: 'jobs' } },
    { words: ['settle'], request: { do: 'settle', job: null } },
  ])('$words asks the root side for $request', async ({ words, request }) => {
    expect((await wcp(words)).asked).toEqual([request])
  })

  it('takes a password that was typed twice, and refuses two different ones', async () => {
    const same = await wcp(['reset-password', 'a@b.example'], { typed: ['one', 'one'] })

    expect(same.asked).toEqual([{ do: 'reset-password', email: 'a@b.example', password: 'one' }])
    await expect(wcp(['create-admin', 'a@b.example'], { typed: ['one', 'two'] })).rejects.toThrow('not the same')
  })

  it('takes one line where nobody can be asked', async () => {
    const { asked } = await wcp(['create-admin', 'a@b.example'], { isTerminal: false })

    expect(asked).toEqual([{ do: 'create-admin', email: 'a@b.example', password: 'one' }])
  })

  it('refuses what is no id of a job before anything is asked', async () => {
    await expect(wcp(['settle', 'acme'])).rejects.toThrow('not the id of a job')
  })

  it('prints what was done, then what comes next', async () => {
    expect(await wcp(['jobs'])).toMatchObject({ code: 0, out: 'It is done.\n', err: 'next: Start it.\n' })
  })

  it('tells what was done before the rest failed, and ends with the code of the error', async () => {
    const answer: RescueAnswer = {
      ...done,
      problem: { code: 'machine_failed', message: 'Cannot go on', help: 'Mend it.', fields: [] },
    }

    const words = await wcp(['settle'], { answer })
    const json = await wcp(['settle', '--json'], { answer })

    expect(words).toMatchObject({ code: 10, out: 'It is done.\n' })
    expect(words.err).toContain('Cannot go on')
    expect(json.code).toBe(10)
    expect(JSON.parse(json.out)).toMatchObject({ report: done.report, problem: { code: 'machine_failed' } })
  })

  it('never lets a control character of the machine reach the terminal', async () => {
    const answer = { ...done, report: { did: ['a\u001b[2Jb'], next: [] } }

    expect((await wcp(['jobs'], { answer })).out).toBe('a\uFFFD[2Jb\n')
  })
})

import { describe, expect, it } from 'vitest'
import { WcpError } from '../contract/errors.ts'
import { type Output, printChanges, printProblem, printRecord, printTable } from './print.ts'

function capture(): Output & { text(): string } {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  return { out: write, err: write, colour: false, text: () => text }
}

describe('print', () => {
  it('aligns the columns of a table', () => {
    const output = capture()

    printTable(
      output,
      ['name', 'linuxUser'],
      [
        { name: 'acme', linuxUser: 'acme' },
        { name: 'averylongname', linuxUser: null },
      ],
    )

    expect(output.text()).toBe('name           linux user\nacme           acme\naverylongname  -\n')
  })

  it('says so when a table is empty', () => {
    const output = capture()
    printTable(output, ['name'], [])
    expect(output.text()).toBe('nothing found\n')
  })

  it('prints objects below their key', () => {
    const output = capture()
    printRecord(output, { name: 'acme', limits: { pids: 64, memMb: null }, aliases: [] })
    expect(output.text()).toBe('name     acme\nlimits \n  pids    64\n  mem mb  -\naliases  -\n')
  })

  it('prints no control characters that it was given', () => {
    const output = capture()
    printTable(output, ['name'], [{ name: '\u001b[2Jgone\n\u202e' }])
    expect(output.text()).toBe('name\n\uFFFD[2Jgone\uFFFD\uFFFD\n')
  })

  it('names each refused field with what is accepted, and the remedy', () => {
    const output = capture()

    printProblem(
      output,
      new WcpError('bad_input', 'Cannot create the tenant', {
        fields: [{ field: 'name', problem: 'too short', accepted: '3 to 24 characters' }],
      }),
    )

    expect(output.text()).toBe(
      'error: Cannot create the tenant\n  name: too short; accepted: 3 to 24 characters\nCorrect the named fields and send the request again.\n',
    )
  })

  it('marks what a plan creates, changes and removes', () => {
    const output = capture()
    printChanges(output, [
      { step: 'directory /a', action: 'create', diff: null },
      { step: 'file /b', action: 'change', diff: '-x\n+y' },
    ])
    expect(output.text()).toBe('+ directory /a\n~ file /b\n    -x\n    +y\n')
  })
})

/** Questions to the person at the terminal; where there is none, answers come as lines of standard input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { WcpError } from '../contract/errors.ts'

export interface Ask {
  /** Read without being shown. */
  secret(prompt: string): Promise<string>
  /** No without a terminal: what cannot be undone is never taken from a pipe by accident. */
  yes(question: string): Promise<boolean>
}

export function terminalAsk(): Ask {
  return {
    async secret(prompt) {
      const { isTTY } = process.stdin
      if (isTTY) process.stderr.write(prompt)
      const answer = await readLine(isTTY)
      if (isTTY) process.stderr.write('\n')
      if (answer === '') throw new WcpError('bad_input', `Cannot go on without a ${prompt.replace(/: $/, '')}`)
      return answer
    },
    async yes(question) {
      if (!process.stdin.isTTY) return false
      process.stderr.write(`${question} [y/N] `)
      return /^y(es)?$/i.test((await readLine(false)).trim())
    },
  }
}

/** @param isHidden keeps what is typed off the screen: readline echoes into a stream that swallows it. */
async function readLine(isHidden: boolean): Promise<string> {
  const swallow = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, ...(isHidden && { output: swallow, terminal: true }) })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    process.stdin.pause()
  }
}

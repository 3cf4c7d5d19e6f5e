/** Questions to the person at the terminal; where there is none, answers come as lines of standard input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { WcpError } from '../contract/errors.ts'

export interface Ask {
  /** Read without being shown; empty when nothing was given, as the others are. */
  secret(prompt: string): Promise<string>
  text(prompt: string): Promise<string>
  /** No without a terminal: what cannot be undone is never taken from a pipe by accident. */
  yes(question: string): Promise<boolean>
}

export function terminalAsk(): Ask {
  async function answer(prompt: string, isHidden: boolean): Promise<string> {
    const { isTTY } = process.stdin
    const given = isTTY ? await typedLine(prompt, isHidden) : await pipedLine()
    if (isTTY && isHidden) process.stderr.write('\n')
    return given
  }
  return {
    secret: (prompt) => answer(prompt, true),
    text: (prompt) => answer(prompt, false),
    async yes(question) {
      if (!process.stdin.isTTY) return false
      return /^y(es)?$/i.test((await typedLine(`${question} [y/N] `, false)).trim())
    },
  }
}

/** @param question one of `Ask`'s */
export async function demand(question: (prompt: string) => Promise<string>, prompt: string): Promise<string> {
  const given = await question(prompt)
  if (given !== '') return given
  throw new WcpError('bad_input', `Cannot go on without a ${prompt.replace(/: $/, '')}`, {
    help: 'Type it when you are asked, or give it as a line of standard input.',
  })
}

/**
 * @param isHidden keeps what is typed off the screen: readline echoes into a stream that swallows it. The terminal echoes
 * nothing from the making of the interface on, so the question comes after it.
 */
async function typedLine(prompt: string, isHidden: boolean): Promise<string> {
  const swallow = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, ...(isHidden && { output: swallow, terminal: true }) })
  process.stderr.write(prompt)
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    process.stdin.pause()
  }
}

/** Input that came with the line before: a pipe gives several lines at once. */
let rest = ''

async function pipedLine(): Promise<string> {
  const { stdin } = process
  stdin.setEncoding('utf8')
  while (!rest.includes('\n')) {
    const chunk = await nextChunk()
    if (chunk === null) break
    rest += chunk
  }
  const [line = '', ...more] = rest.split('\n')
  rest = more.join('\n')
  return line.replace(/\r$/, '')
}

/** Null at the end. */
function nextChunk(): Promise<string | null> {
  const { stdin } = process
  if (stdin.readableEnded) return Promise.resolve(null)
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const settle = (chunk: string | null) => {
    stdin.pause().off('data', settle).off('end', atEnd)
    resolve(chunk)
  }
  const atEnd = () => settle(null)
  stdin.on('data', settle).on('end', atEnd).resume()
  return promise
}

/** The `wcp` command line. */
import { layout } from '../agent/os/layout.ts'
import type { Output } from '../lib/print.ts'
import { terminalAsk } from './ask.ts'
import { wcp } from './wcp.ts'

/** @param argv what follows `wcp`. @returns the exit code of the error table. */
export function main(argv: readonly string[]): Promise<number> {
  const { env, stdin, stdout } = process
  const bytes = stdout.isTTY ? null : stdout
  const given = stdin.isTTY ? null : stdin
  const output = processOutput()
  const onInterrupt = interruptHint(output)
  const ask = terminalAsk()
  return wcp(argv, { output, ask, env, isTerminal: stdin.isTTY, places: layout, onInterrupt, bytes, given })
}

/** A job goes on without its watcher: a person who leaves learns how to come back. */
function interruptHint({ err }: Output): (hint: string) => void {
  let said = ''
  process.on('SIGINT', () => {
    if (said !== '') err(`\n${said}\n`)
    process.exit(130) // 128 + SIGINT, as shells have it
  })
  return (hint) => {
    said = hint
  }
}

function processOutput(): Output {
  // A reader that went away, as in `wcp tenant list | head`, is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    colour: process.stdout.hasColors?.() ?? false,
  }
}

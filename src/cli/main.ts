/** The `wcp` command line. */
import { join } from 'node:path'
import { layout } from '../agent/os/layout.ts'
import { asWcpError, errorTable } from '../contract/errors.ts'
import { type Output, printJson, printProblem } from '../lib/print.ts'
import { version } from '../lib/version.ts'
import { operations } from '../resources/index.ts'
import { terminalAsk } from './ask.ts'
import { panelClient } from './client.ts'
import { approve } from './commands/approve.ts'
import { completionCommands } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import { doctor } from './commands/doctor.ts'
import { emergencyCommands } from './commands/emergency.ts'
import { logs } from './commands/logs.ts'
import { status } from './commands/status.ts'
import { rescueCaller } from './emergency/call-rescue.ts'
import { type LocalCommand, runProgram } from './program.ts'
import { runWords } from './run-words.ts'
import { watchJob } from './watch-job.ts'

/** @param argv what follows `wcp`. @returns the exit code of the error table. */
export async function main(argv: string[]): Promise<number> {
  const places = layout()
  const output = processOutput()
  const call = panelClient(places.cliSocket)
  const locals: LocalCommand[] = [
    status(call, output),
    doctor(places, call, output),
    approve(rescueCaller(), output),
    logs(join(places.logs, 'wcpd.log')),
    ...configCommands(places.config, output),
    ...emergencyCommands({ output, ask: terminalAsk(), isTerminal: process.stdin.isTTY, call: rescueCaller() }),
    {
      words: 'job watch',
      summary: 'Follow a job to its end',
      args: [['<id>', 'id of the job']],
      run: ([id = '']) => watchJob(id, { call, output }),
    },
  ]
  locals.push(...completionCommands({ operations, locals, call }, output))
  try {
    return await runProgram(
      {
        operations,
        locals,
        version: version(),
        write: output.out,
        writeError: output.err,
        runWords: (words) => runWords(words, operations, { output, call, ask: terminalAsk() }),
      },
      argv,
    )
  } catch (error) {
    const shown = asWcpError(error)
    if (argv.includes('--json')) printJson(output, shown.toProblem())
    else printProblem(output, shown)
    if (shown.code === 'internal') output.err(`${error instanceof Error ? error.stack : String(error)}\n`)
    return errorTable[shown.code].exit
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

/** One `wcp` command, from its words to its exit code. */
import { join } from 'node:path'
import type { Layout } from '../agent/os/layout.ts'
import { asWcpError, errorTable, WcpError } from '../contract/errors.ts'
import { longForm } from '../lib/command-spec.ts'
import { type Output, printJson, printProblem } from '../lib/print.ts'
import { quoteWord } from '../lib/words.ts'
import { version } from '../program/version.ts'
import { operations } from '../resources/index.ts'
import type { Ask } from './ask.ts'
import { approve } from './commands/approve.ts'
import { completionCommands } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import { doctor } from './commands/doctor.ts'
import { emergencyCommands } from './commands/emergency.ts'
import { loginCommands } from './commands/login.ts'
import { logs } from './commands/logs.ts'
import { openSetup } from './commands/setup.ts'
import { status } from './commands/status.ts'
import { rescueCaller } from './emergency/call-rescue.ts'
import { type LocalCommand, runProgram } from './program.ts'
import { type ChosenPanel, choosePanel, panelCaller } from './remote/choose-panel.ts'
import { runWords } from './run-words.ts'
import { watchJob } from './watch-job.ts'

/** What a command lives in: the process that it is, or a test's. */
export interface Surroundings {
  readonly output: Output
  readonly ask: Ask
  readonly env: NodeJS.ProcessEnv
  /** Somebody sits at it. */
  readonly isTerminal: boolean
  /** @param root the directory that stands for `/` */
  places(root: string): Layout
  /** Said when somebody presses Ctrl-C from now on. */
  readonly onInterrupt: (hint: string) => void
}

/** @param argv what follows `wcp`. @returns the exit code of the error table. */
export async function wcp(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { output, env } = surroundings
  try {
    return await run(choosePanel(argv, env), surroundings)
  } catch (error) {
    const shown = asWcpError(error)
    if (argv.includes('--json')) printJson(output, shown.toProblem())
    else printProblem(output, shown)
    if (shown.code === 'internal') output.err(`${error instanceof Error ? error.stack : String(error)}\n`)
    return errorTable[shown.code].exit
  }
}

async function run(
  { server, root, words }: ChosenPanel,
  { output, ask, env, isTerminal, onInterrupt, ...machine }: Surroundings,
): Promise<number> {
  const places = machine.places(root)
  const elsewhere = root === '/' ? [] : ['--root', root]
  const self = ['wcp', ...(server === null ? elsewhere : ['--server', server.origin])].map(quoteWord).join(' ')
  const call = panelCaller(server, { cliSocket: places.cliSocket, env, ask })
  const rescue = rescueCaller(...elsewhere)
  const watching = { call, output, onInterrupt, self }
  const ofThisMachine: readonly LocalCommand[] = [
    doctor(places, call, output),
    approve(rescue, output),
    openSetup(rescue, output),
    logs(join(places.logs, 'wcpd.log'), root === '/' ? undefined : false),
    ...configCommands(places.config, output),
    ...emergencyCommands({ output, ask, isTerminal, call: rescue }),
  ]
  const locals: LocalCommand[] = [
    status(call, output),
    ...(server === null ? ofThisMachine : ofThisMachine.map(notFromAfar)),
    ...loginCommands({ output, ask, env, server }),
    {
      words: 'job watch',
      summary: 'Follow a job to its end',
      args: [['<id>', 'id of the job']],
      run: ([id = '']) => watchJob(id, watching),
    },
  ]
  locals.push(...completionCommands({ operations, locals, call }, output))
  return await runProgram(
    {
      operations,
      locals,
      version: version(),
      write: output.out,
      writeError: output.err,
      runWords: (typed) => runWords(typed, operations, { ...watching, ask }),
    },
    longForm(words),
  )
}

/** What looks at the machine that it runs on says nothing about another one. */
function notFromAfar(command: LocalCommand): LocalCommand {
  return {
    ...command,
    async run() {
      throw new WcpError('bad_input', `Cannot run "wcp ${command.words}" for another machine`, {
        help: 'Run it there, without --server and WCP_SERVER.',
      })
    },
  }
}

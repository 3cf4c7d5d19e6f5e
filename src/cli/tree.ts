/** Lines that name no operation: help, commands of this machine, completion, and mistakes. */
import { join } from 'node:path'
import type { Layout } from '../agent/os/layout.ts'
import { WcpError } from '../contract/errors.ts'
import type { Command } from '../lib/command-spec.ts'
import { version } from '../program/version.ts'
import { approve } from './commands/approve.ts'
import { exportCertificate } from './commands/certificate-export.ts'
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
import type { ServerAddress } from './remote/server-address.ts'
import { runWords, type Terminal } from './run-words.ts'
import { watchJob } from './watch-job.ts'

interface Trunk extends Terminal {
  readonly operations: readonly Command[]
  /** Null: this machine. */
  readonly server: ServerAddress | null
  readonly places: Layout
  /** Words that lead to an agent below a directory. */
  readonly elsewhere: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly isTerminal: boolean
}

export async function runTree(words: readonly string[], trunk: Trunk): Promise<number> {
  const { operations, server, places, elsewhere, call, output, ask, env, isTerminal } = trunk
  const rescue = rescueCaller(...elsewhere)
  const ofThisMachine: readonly LocalCommand[] = [
    doctor(places, call, output),
    approve(rescue, output),
    openSetup(rescue, output),
    exportCertificate(rescue, output),
    logs(join(places.logs, 'wcpd.log'), elsewhere.length === 0 ? undefined : false),
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
      run: ([id = '']) => watchJob(id, trunk),
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
      runWords: (typed) => runWords(typed, operations, trunk),
    },
    words,
  )
}

/** A command that looks at its own machine cannot be asked of another one. */
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

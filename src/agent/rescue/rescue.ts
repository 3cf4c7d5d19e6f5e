/**
 * Role `rescue`: the root side's code for `wcp emergency`, under the agent's lock, with the daemon down. `rescue [--root DIR]`
 * reads one request from standard input and writes one answer to standard output; `--root` is for tests, as the agent's.
 */
import { json } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { type RescueAnswer, type RescueProblem, type RescueReport, RescueRequest } from '../../contract/rescue.ts'
import { ConfigError } from '../../lib/config.ts'
import { layout } from '../os/layout.ts'
import { takeAgentLock } from '../os/lock.ts'
import { prepareAgentState } from '../prepare.ts'
import { approve } from './approve.ts'
import { checkAudit } from './audit.ts'
import { exportCertificate } from './export-certificate.ts'
import { resetFences } from './fences.ts'
import { showJobs } from './jobs.ts'
import { openRescue, type Rescue } from './machine.ts'
import { rescuePerson } from './person.ts'
import { renderAll } from './render.ts'
import { HalfDone } from './report.ts'
import { rollBack } from './roll-back.ts'
import { settleJobs } from './settle.ts'
import { openSetup } from './setup.ts'
import { rescueTenant } from './tenant.ts'

export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { root: { type: 'string', default: '/' } } })
  const answer = await answerTo(process.stdin, values.root).catch(
    (error): RescueAnswer => ({
      report: error instanceof HalfDone ? error.report : null,
      problem: problemOf(error instanceof HalfDone ? error.cause : error),
    }),
  )
  process.stdout.write(JSON.stringify(answer))
  return 0
}

async function answerTo(input: NodeJS.ReadableStream, root: string): Promise<RescueAnswer> {
  if (process.getuid?.() !== 0) throw new WcpError('forbidden', 'Cannot work on this machine: only root may')
  const request = RescueRequest.parse(await json(input))
  const places = layout(root)
  if (request.do === 'open-setup') return { report: await openSetup(places), problem: null }
  if (request.do === 'approve') return { report: await approve(places, request), problem: null }
  if (request.do === 'audit') return { report: await checkAudit(places, request.head), problem: null }
  if (request.do === 'export-certificate') return { report: await exportCertificate(places, request), problem: null }
  await prepareAgentState(places)
  const attempt = takeAgentLock(places.agentState)
  if ('heldBy' in attempt) throw isRunning(attempt.heldBy)
  try {
    const rescue = await openRescue(places)
    try {
      return { report: await run(request, rescue), problem: null }
    } finally {
      rescue.close()
    }
  } finally {
    attempt.lock.release()
  }
}

function run(
  request: Exclude<RescueRequest, { do: 'audit' | 'approve' | 'open-setup' | 'export-certificate' }>,
  rescue: Rescue,
): Promise<RescueReport> {
  switch (request.do) {
    case 'reset-password':
    case 'create-admin':
      return rescuePerson(rescue, request)
    case 'suspend':
    case 'unsuspend':
      return rescueTenant(rescue, request)
    case 'render':
      return renderAll(rescue, request)
    case 'jobs':
      return showJobs(rescue)
    case 'fences':
      return resetFences(rescue)
    case 'roll-back':
      return rollBack(rescue)
    case 'settle':
      return settleJobs(rescue, request.job)
  }
}

function isRunning(pid: string): WcpError {
  return new WcpError('conflict', `Cannot take over: the daemon runs, process ${pid} holds the lock`, {
    help: 'Use the ordinary command, or stop the daemon first with "systemctl stop wcpd".',
  })
}

/** The cause's own words matter here: there is no log of this. */
function problemOf(error: unknown): RescueProblem {
  if (error instanceof ConfigError) {
    const help = 'Mend the line; "wcp config validate" checks it.'
    return { code: 'bad_input', message: `Cannot use the configuration: ${error.message}`, help, fields: [] }
  }
  const { code, message, help, fields } = asWcpError(error)
  const cause = error instanceof WcpError ? error.cause : error
  const words = cause instanceof Error ? `${message}: ${cause.message}` : message
  return { code, message: words.slice(0, 3900), help, fields: [...fields] }
}

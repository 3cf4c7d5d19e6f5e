/**
 * Role `store-rescue`: the panel's store, opened once for `wcp emergency`. It runs as the panel's user, never as root:
 * what it makes, the panel must be able to use, and the state is the panel's word, which root does not trust.
 */
import { json } from 'node:stream/consumers'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { StoreAnswer, StoreRequest } from '../../contract/rescue.ts'
import { createAdmin, resetPassword } from './people.ts'
import { rollBack } from './roll-back.ts'
import { withStore } from './store.ts'
import { beginTenantJob, endTenantJob } from './tenant.ts'

export async function main(): Promise<number> {
  process.umask(0o077)
  const answer = await answerTo(process.stdin).catch(problemOf)
  process.stdout.write(JSON.stringify(StoreAnswer.parse(answer)))
  return 0
}

async function answerTo(input: NodeJS.ReadableStream): Promise<StoreAnswer> {
  if (process.getuid?.() === 0) throw new WcpError('internal', "Cannot open the panel's store as root")
  const request = StoreRequest.parse(await json(input))
  switch (request.do) {
    case 'reset-password':
      return withStore(request, (store) => resetPassword(store, request))
    case 'create-admin':
      return withStore({ ...request, mayCreate: true }, (store) => createAdmin(store, request))
    case 'roll-back':
      return rollBack(request)
    case 'begin':
      return withStore(request, (store) => beginTenantJob(store, request))
    case 'end':
      return withStore(request, (store) => endTenantJob(store, request))
  }
}

/** The cause's own words matter here: nobody reads a log while the daemon is down. */
function problemOf(error: unknown): StoreAnswer {
  const { code, message, help, fields } = asWcpError(error)
  const cause = error instanceof WcpError ? error.cause : error
  const words = cause instanceof Error ? `${message}: ${cause.message}` : message
  return { of: 'problem', problem: { code, message: words.slice(0, 3900), help, fields: [...fields] } }
}

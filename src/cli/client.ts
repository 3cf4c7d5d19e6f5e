/** Speaks REST to the panel over its private socket; who can enter the socket's directory is root or the panel itself. */
import { type ClientRequest, type RequestOptions, request } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { type ErrorCode, errorTable, type Problem, WcpError } from '../contract/errors.ts'
import type { HttpCall } from '../lib/http-call.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** It is the answer to an earlier call. */
  readonly isRepeated?: true
}

export type CallPanel = (call: HttpCall) => Promise<Answer>

/** Longest wait for an answer; every change to the machine is a job, so answers are quick. */
const timeoutMs = 60_000

/** @param socketPath the panel's `cli.sock`. Problems that the panel answers are thrown as the `WcpError` they are. */
export function panelClient(socketPath: string): CallPanel {
  return async (call) => {
    try {
      return await answerOrError({ socketPath, agent: false }, call, { host: 'localhost' })
    } catch (error) {
      throw error instanceof WcpError ? error : unreachable(socketPath, error)
    }
  }
}

/** `createConnection` is heard without an agent only. */
type Connection = Pick<RequestOptions, 'socketPath' | 'agent'> | Pick<RequestOptions, 'createConnection'>

/** One request over a connection of its own. @throws the `WcpError` that was answered; what went wrong with the connection as it is */
export async function answerOrError(
  connection: Connection,
  call: HttpCall,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const answer = await exchange(connection, call, headers)
  if (answer.status >= 400) throw asError(answer)
  return answer
}

/** As it is sent. */
export function bodyOf({ body }: HttpCall): Buffer | undefined {
  return body === undefined ? undefined : Buffer.from(JSON.stringify(body))
}

function exchange(connection: Connection, call: HttpCall, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const body = bodyOf(call)
  const sent = request(
    {
      ...connection,
      path: call.target,
      method: call.method,
      timeout: timeoutMs,
      headers: {
        ...headers,
        ...call.headers,
        accept: 'application/json',
        ...(call.source !== undefined && { 'content-type': 'application/octet-stream' }),
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': body.length }),
      },
    },
    (response) => {
      if (call.sink !== undefined && response.statusCode === 200) {
        call.sink(response).then(() => resolve({ status: 200, body: null }), reject)
        return
      }
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        try {
          resolve({
            status: response.statusCode ?? 0,
            body: text === '' ? null : JSON.parse(text),
            ...(response.headers['idempotency-replayed'] === 'true' && { isRepeated: true }),
          })
        } catch (error) {
          reject(error)
        }
      })
    },
  )
  sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)))
  sent.on('error', reject)
  if (call.source === undefined) sent.end(body)
  else giveBytes(call.source, sent, reject)
  return promise
}

/** Until all is given, or the panel answers before: then it takes no more of it. */
function giveBytes(source: Readable, sent: ClientRequest, reject: (error: unknown) => void): void {
  const isToEnd = new AbortController()
  sent.once('response', (response) => {
    response.once('end', () => {
      isToEnd.abort()
      sent.destroy()
    })
  })
  pipeline(source, sent, { signal: isToEnd.signal }).catch((error: unknown) => {
    if (!isToEnd.signal.aborted) reject(error)
  })
}

/** The panel did not answer; what it answers itself has no cause. */
export function isUnanswered(error: unknown): error is WcpError {
  return error instanceof WcpError && error.code === 'unavailable' && error.cause !== undefined
}

function unreachable(socketPath: string, cause: unknown): WcpError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') {
    return new WcpError('forbidden', `Cannot open "${socketPath}": permission denied`, {
      cause,
      help: 'Run the command as root: "sudo wcp …".',
    })
  }
  return new WcpError('unavailable', 'Cannot reach the panel: it does not answer on its socket', {
    cause,
    help: 'Start it with "systemctl start wcpd" (or "wcpd"); "wcp doctor" tells what is missing, "wcp emergency" works without it.',
  })
}

const ProblemShape = z.object({
  code: z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]),
  title: z.string(),
  help: z.string(),
  fields: z
    .array(z.object({ field: z.string(), problem: z.string(), accepted: z.string().exactOptional() }))
    .exactOptional(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
}) satisfies z.ZodType<Omit<Problem, 'type' | 'status'>>

function asError({ status, body }: Answer): WcpError {
  const problem = ProblemShape.safeParse(body)
  if (!problem.success) return new WcpError('internal', `Cannot read the panel's answer of status ${status}`)
  const { code, title, ...more } = problem.data
  return new WcpError(code, title, more)
}

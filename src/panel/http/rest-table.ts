/** Which operation a call is about: the table of all addresses, made at the first call. */
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { once } from '../../contract/once.ts'
import { type AnyOperation, httpBinding, type Method } from '../../contract/operation.ts'
import { apiRoot } from '../../lib/http-call.ts'
import type { Context } from '../../resources/context.ts'
import { AllowedMethods } from './allowed-methods.ts'
import { limits } from './limits.ts'
import { type RestCall, type RestInput, restReader } from './rest-input.ts'

export interface Addressed {
  readonly operation: AnyOperation<Context>
  /** Of address, query and body; its errors are those of `restReader`. */
  read(call: Omit<RestCall, 'params'>): RestInput
}

export interface RestTable {
  /** @param url as it was sent. @returns null when no operation has this method and address */
  at(method: string, url: string): Addressed | null
  /** Calls that go on for as long as a file's bytes come. */
  readonly bytes: readonly { readonly method: Method; readonly url: string }[]
  /** Of a decoded path; HEAD where GET is. */
  methodsOf(path: string): readonly string[]
}

/**
 * Fastify's own router reads the addresses, by themselves: as routes of Fastify they cost a millisecond and some kilobytes each,
 * at both doors and at every start (docs/0023).
 */
export function restTable(operations: readonly AnyOperation<Context>[]): RestTable {
  const router = once(() => routerOf(operations))
  const methods = once(() => methodsOf(operations))
  const ofBytes = operations.filter(({ bytes }) => bytes !== undefined).map(httpBinding)
  return {
    bytes: ofBytes.map(({ method, path }) => ({ method, url: patternOf(path) })),
    at(method, url) {
      const found = router().find(method === 'HEAD' ? 'GET' : (method as HTTPMethod), url)
      if (found === null) return null
      const { operation, reader }: Entry = found.store
      return { operation, read: (call) => reader()({ ...call, params: found.params }) }
    },
    methodsOf: (path) => methods().of(path),
  }
}

interface Entry {
  readonly operation: AnyOperation<Context>
  readonly reader: () => ReturnType<typeof restReader>
}

const patternOf = (path: string) => `${apiRoot}${path.replace(/\{(\w+)\}/g, ':$1')}`

function routerOf(operations: readonly AnyOperation<Context>[]) {
  const router = findMyWay({ maxParamLength: limits.maxParamLength })
  for (const operation of operations) {
    const { method, path } = httpBinding(operation)
    const entry: Entry = { operation, reader: once(() => restReader(operation)) }
    router.on(method, patternOf(path), () => {}, entry)
  }
  return router
}

function methodsOf(operations: readonly AnyOperation<Context>[]): AllowedMethods {
  const methods = new AllowedMethods()
  for (const operation of operations) {
    const { method, path } = httpBinding(operation)
    methods.add(patternOf(path), method === 'GET' ? ['GET', 'HEAD'] : method)
  }
  return methods
}

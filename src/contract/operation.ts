/**
 * One object per thing a person can do. REST route, OpenAPI document, `wcp` command, terminal command, form, permission
 * and audit action are all derived from it, so nothing about an operation is written twice.
 */
import type { z } from 'zod'
import { type Field, fieldsOf } from './fields.ts'
import { once } from './once.ts'

export type Effect =
  /** Changes nothing. */
  | 'read'
  /** Changes the panel's state only; done when it answers. */
  | 'write'
  /** Changes the machine: answers 202 with the job that does it. Whatever changes something takes `plan`. */
  | 'machine'

/** How far a role reaches: everything, what belongs to one reseller, or one tenant. */
export const scopeKinds = ['global', 'reseller', 'local'] as const
export type ScopeKind = (typeof scopeKinds)[number]

/** The callers whom an operation admits at all; it does not find anything outside of the caller's scope. */
export interface Policy {
  /** Scopes of the roles that may hold the permission; a role of another scope never gets it, whatever the store says. */
  readonly scopes: readonly ScopeKind[]
  /** Roles of the product beside the administrator's that hold it. */
  readonly holders?: readonly ('customer' | 'reseller')[]
  /** Decides who may do what, or with which secret: refused to somebody who acts as another person. */
  readonly isSensitive?: true
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface Operation<
  Ctx = never,
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodType = z.ZodType,
  N extends string = string,
> {
  /** `kind.verb`: permission key, audit action, operationId, and `wcp kind verb`. */
  readonly name: N
  /** One line in the imperative, without a full stop. */
  readonly summary: string
  /** Text of the API reference beyond the fields. */
  readonly description?: string
  readonly effect: Effect
  readonly policy: Policy
  /** Method and path below `/api/v1`; `{x}` is the input key `x`. GET and DELETE take the other keys as query, the rest as JSON body. */
  readonly http: `${Method} /${string}`
  /** Input keys that `wcp` takes by position, in order. */
  readonly positional: readonly string[]
  /** Input keys that never reach audit, logs, or a page again. */
  readonly secret?: readonly string[]
  /** Set on what cannot be undone with one command: the question that is asked before. */
  readonly confirm?: string
  /** Output key that is a text for a file: a terminal prints it as it is. */
  readonly document?: string
  /**
   * What goes over the wire as bytes and not as JSON: of the answer those of its key `bytes`, with its `name` and `size`; or the
   * body of the call, which is `Context.body`, while its input stands in address and query.
   */
  readonly bytes?: 'answer' | 'body'
  /** Is done while it is asked for, by a process that is no part of the panel: in no transaction, and audited when it was done. */
  readonly isOutside?: true
  /** Input keys that are no secret and too long for the audit trail. */
  readonly unrecorded?: readonly string[]
  /** The answer holds a secret that is shown once: pages show it instead of moving on. */
  readonly answersOnce?: true
  /** Every signed-in user may call it without a permission; `run` sees to it that it is about their own account. */
  readonly isForEveryone?: true
  /** Dangerous in the hands of who finds an open browser: the person must have shown password or code just before. */
  readonly stepUp?: true
  /** Part of setting up a second factor: also for those who can do nothing else before they have one. */
  readonly whileEnrolling?: true
  /** Output keys of `items` that lists print as columns, in order. */
  readonly columns?: readonly string[]
  /** Made when it is first asked for, as are the two below: most processes ask for few of all there are. */
  readonly input: I
  readonly output: O
  /** The input as forms and command lines see it. */
  readonly fields: readonly Field[]
  run(context: Ctx, input: z.output<I>): Promise<z.input<O>>
}

/** Any operation, for code that handles all of them alike. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds operations of every input; each is parsed by its own schema before run
export type AnyOperation<Ctx = any> = Operation<Ctx, any, any, string>

/** An operation as its slice writes it: the schemas as functions that make them. */
type Definition<Ctx, I extends z.ZodObject, O extends z.ZodType, N extends string> = Omit<
  Operation<Ctx, I, O, N>,
  'input' | 'output' | 'fields' | 'positional'
> & {
  readonly input: () => I
  readonly output: () => O
  readonly positional: readonly (keyof z.output<I> & string)[]
}

/** Binds the context once so that slices infer everything else. */
export function operationsFor<Ctx>() {
  return function defineOperation<I extends z.ZodObject, O extends z.ZodType, const N extends `${string}.${string}`>({
    input,
    output,
    ...facts
  }: Definition<Ctx, I, O, N>): Operation<Ctx, I, O, N> {
    const inputOf = once(input)
    const outputOf = once(output)
    return Object.freeze({
      ...facts,
      get input() {
        return inputOf()
      },
      get output() {
        return outputOf()
      },
      get fields() {
        return fieldsOf(inputOf())
      },
    })
  }
}

export interface HttpBinding {
  readonly method: Method
  /** `/tenants/{tenant}` */
  readonly path: string
  readonly pathKeys: readonly string[]
}

export function httpBinding(operation: Pick<AnyOperation, 'http'>): HttpBinding {
  const [method, path = '/'] = operation.http.split(' ')
  const pathKeys = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  return { method: method as Method, path, pathKeys }
}

/** Whether the keys of its input that stand in no path are a JSON body, and no query. */
export function hasJsonBody(operation: Pick<AnyOperation, 'http' | 'bytes'>): boolean {
  const { method } = httpBinding(operation)
  return method !== 'GET' && method !== 'DELETE' && operation.bytes !== 'body'
}

/** Throws at the first operation that does not say who may call it: the start ends with it (threats C15). */
export function demandPolicies(operations: readonly Pick<AnyOperation, 'name' | 'policy'>[]): void {
  for (const { name, policy } of operations) {
    const scopes: unknown = Reflect.get(Object(policy), 'scopes')
    // Administrators reach everything, so that nothing is out of everybody's hands.
    const isWhole =
      Array.isArray(scopes) && scopes.includes('global') && scopes.every((one) => scopeKinds.includes(one))
    if (!isWhole) throw new Error(`Operation "${name}" does not say who may call it`)
  }
}

export function kindOf(operation: Pick<AnyOperation, 'name'>): string {
  return operation.name.slice(0, operation.name.indexOf('.'))
}

export function verbOf(operation: Pick<AnyOperation, 'name'>): string {
  return operation.name.slice(operation.name.indexOf('.') + 1)
}

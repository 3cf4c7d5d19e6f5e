/** Which methods an address has, for 405 and OPTIONS: learnt from the routes as they are registered. */
import { limits } from './limits.ts'

interface Known {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

export class AllowedMethods {
  readonly #routes = new Map<string, Known>()
  readonly #tables = new Set<(path: string) => readonly string[]>()

  /** @param url as Fastify writes it: `/tenants/:tenant`, `/assets/*`. */
  add(url: string, methods: string | readonly string[]): void {
    const known = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const method of [methods].flat()) known.methods.add(method)
    this.#routes.set(url, known)
  }

  /** Addresses that are known elsewhere. */
  addTable(methodsOf: (path: string) => readonly string[]): void {
    this.#tables.add(methodsOf)
  }

  /** Empty when there is no such address. */
  of(path: string): readonly string[] {
    const found = new Set([...this.#tables].flatMap((methodsOf) => methodsOf(path)))
    for (const { pattern, methods } of this.#routes.values()) {
      if (pattern.test(path)) for (const method of methods) found.add(method)
    }
    return found.size === 0 ? [] : [...found.add('OPTIONS')].sort()
  }
}

function patternOf(url: string): RegExp {
  const parameter = `[^/]{1,${limits.maxParamLength}}`
  const parts = url
    .split('/')
    .map((part) =>
      part.startsWith(':') ? parameter : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
  return new RegExp(`^${parts.join('/')}$`)
}

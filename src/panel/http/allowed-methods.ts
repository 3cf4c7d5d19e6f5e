/** Which methods an address has, for 405 and OPTIONS: learnt from the routes as they are registered. */
interface Known {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

export class AllowedMethods {
  readonly #routes = new Map<string, Known>()

  /** @param url as Fastify writes it: `/tenants/:tenant`, `/assets/*`. */
  add(url: string, methods: string | readonly string[]): void {
    const known = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const method of [methods].flat()) known.methods.add(method)
    this.#routes.set(url, known)
  }

  /** Empty when there is no such address. */
  of(path: string): readonly string[] {
    const found = new Set<string>()
    for (const { pattern, methods } of this.#routes.values()) {
      if (pattern.test(path)) for (const method of methods) found.add(method)
    }
    return found.size === 0 ? [] : [...found, 'OPTIONS'].sort()
  }
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}$`)
}

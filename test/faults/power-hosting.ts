/** What the machine should hold after a list of jobs: a second opinion, made without the product's own tables. */

export type Status = 'active' | 'suspended' | 'deleted' | 'error'
export type Verb = 'create' | 'suspend' | 'unsuspend' | 'delete' | 'restore'
export type Deed = { readonly kind: 'tenant' | 'domain'; readonly verb: Verb; readonly name: string }

interface Domain {
  readonly tenant: string
  status: Status
  /** It went into the trash with its tenant, from this status. */
  before?: Status
}

const after: Readonly<Record<Verb, Status>> = {
  create: 'active',
  suspend: 'suspended',
  unsuspend: 'active',
  delete: 'deleted',
  restore: 'active',
}

export class Hosting {
  readonly tenants = new Map<string, Status>()
  readonly domains = new Map<string, Domain>()
  /** What was suspended and not brought back since; the trash keeps it. */
  readonly #held = new Set<string>()

  /** @param tenant of a domain. A job that failed has changed nothing, but for what it should have made. */
  apply({ kind, verb, name }: Deed, tenant: string, hasSucceeded: boolean): void {
    if (!hasSucceeded && verb !== 'create') return
    const key = `${kind} ${name}`
    if (verb === 'suspend') this.#held.add(key)
    if (verb === 'unsuspend' || verb === 'create') this.#held.delete(key)
    const status = !hasSucceeded ? 'error' : verb === 'restore' && this.#held.has(key) ? 'suspended' : after[verb]
    if (verb === 'delete' && this.#statusOf(kind, name) === 'error') {
      this.#forget(kind, name)
      return
    }
    if (kind === 'domain') {
      this.domains.set(name, { tenant, status })
      return
    }
    this.tenants.set(name, status)
    if (verb === 'delete') this.#trashDomains(name)
    if (verb === 'restore') this.#restoreDomains(name)
  }

  domainsOf(tenant: string): [string, Domain][] {
    return [...this.domains].filter(([, domain]) => domain.tenant === tenant)
  }

  /** What a visitor of the name gets. */
  answers(fqdn: string): 'page' | 'notice' | 'nothing' {
    const domain = this.domains.get(fqdn)
    const tenant = domain && this.tenants.get(domain.tenant)
    if (domain === undefined || tenant === undefined) return 'nothing'
    if (['deleted', 'error'].includes(domain.status) || ['deleted', 'error'].includes(tenant)) return 'nothing'
    return domain.status === 'active' && tenant === 'active' ? 'page' : 'notice'
  }

  #statusOf(kind: Deed['kind'], name: string): Status | undefined {
    return kind === 'tenant' ? this.tenants.get(name) : this.domains.get(name)?.status
  }

  /** What could never be made leaves nothing to restore. */
  #forget(kind: Deed['kind'], name: string): void {
    if (kind === 'domain') this.domains.delete(name)
    else {
      this.tenants.delete(name)
      for (const [domain] of this.domainsOf(name)) this.domains.delete(domain)
    }
  }

  #trashDomains(tenant: string): void {
    for (const [name, { status }] of this.domainsOf(tenant))
      if (status !== 'deleted') this.domains.set(name, { tenant, status: 'deleted', before: status })
  }

  #restoreDomains(tenant: string): void {
    for (const [name, { before }] of this.domainsOf(tenant))
      if (before !== undefined) this.domains.set(name, { tenant, status: before })
  }
}

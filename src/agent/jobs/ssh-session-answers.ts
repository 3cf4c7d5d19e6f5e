/** What the panel is told of SSH sessions: names of tenants and texts of keys as ids and names that it knows. */
import { type SshSessions, sshSessionsPage } from '../../contract/ssh-session.ts'
import type { Id } from '../../contract/values.ts'
import { sshKeyApply } from '../../resources/ssh-key/jobs.ts'
import type { Machine } from '../os/machine.ts'
import { endSessions, forgetSession, type SessionRecord, sessionRecords } from '../os/ssh-sessions.ts'
import type { Registry } from './registry.ts'

/** Of all that are over: when the panel does not ask, the oldest go. */
const mostOver = 2000

export class SshSessionAnswers {
  readonly #machine: Machine
  readonly #registry: () => Registry

  constructor(machine: Machine, registry: () => Registry) {
    this.#machine = machine
    this.#registry = registry
  }

  tell(told: readonly Id[]): SshSessions {
    const { places } = this.#machine
    const records = sessionRecords(places)
    const over = records.filter(({ isOpen }) => !isOpen)
    const tooMany = over.slice(0, Math.max(0, over.length - mostOver))
    const forgotten = new Set([...over.filter(({ id }) => told.includes(id)), ...tooMany].map(({ id }) => id))
    for (const id of forgotten) forgetSession(places, id)
    const left = records.filter(({ id }) => !forgotten.has(id))
    return left.flatMap((one) => this.#known(one) ?? []).slice(0, sshSessionsPage)
  }

  /** Only what has a record is a session. */
  async end(session: Id): Promise<null> {
    const found = sessionRecords(this.#machine.places).filter(({ id }) => id === session)
    await endSessions(found.map(({ id }) => id))
    return null
  }

  #known({ tenant: name, at, key, ...one }: SessionRecord): SshSessions[number] | undefined {
    const tenant = this.#registry().tenantNamed(name)
    return tenant && { ...one, tenant: tenant.id, at: at.toISOString(), key: this.#keyOf(tenant.id, key) }
  }

  #keyOf(tenant: Id, text: string): SshSessions[number]['key'] {
    const known = this.#registry().thingsOf(tenant, sshKeyApply.kind)
    const found = known.find(({ record }) => sshKeyApply.payload.parse(record).key === text)
    return found === undefined ? null : { id: found.id, name: found.name }
  }
}

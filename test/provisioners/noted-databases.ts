/** A database server that is files below the bench's root: what it holds survives the process, and the manifest shows it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type {
  Copying,
  DatabaseServer,
  DatabaseUser,
  FoundDatabase,
  FoundUser,
  Guest,
  ServerStatus,
} from '../../src/agent/os/databases/database-server.ts'
import type { Collation, DatabaseName } from '../../src/contract/database.ts'

export class NotedDatabases implements DatabaseServer {
  readonly #place: string

  constructor(root: string) {
    this.#place = join(root, 'var/lib/noted-databases')
  }

  install(): void {
    for (const part of ['databases', 'users']) mkdirSync(join(this.#place, part), { recursive: true })
  }

  /** A table of the tenant's own. */
  write(name: string, table: string, content: string): void {
    writeFileSync(join(this.#database(name), table), content)
  }

  async status(): Promise<ServerStatus> {
    return { version: '0', connections: 0, mostConnections: 1 }
  }

  async knows(name: DatabaseName) {
    return existsSync(this.#database(name)) || existsSync(this.#user(name))
  }

  async database(name: DatabaseName): Promise<FoundDatabase | undefined> {
    const place = this.#database(name)
    if (!existsSync(place)) return undefined
    const tables = readdirSync(place).filter((table) => table !== '.collation')
    return { collation: readFileSync(join(place, '.collation'), 'utf8'), objects: tables.length }
  }

  async createDatabase(name: DatabaseName, collation: Collation) {
    if (existsSync(this.#database(name))) return
    mkdirSync(this.#database(name))
    writeFileSync(join(this.#database(name), '.collation'), collation)
  }

  async dropDatabase(name: DatabaseName) {
    rmSync(this.#database(name), { recursive: true, force: true })
  }

  async user(name: DatabaseName, guest?: Guest): Promise<FoundUser | undefined> {
    if (!existsSync(this.#user(name))) return undefined
    const kept: DatabaseUser = JSON.parse(readFileSync(this.#user(name), 'utf8'))
    const isExact = JSON.stringify(kept.guest) === JSON.stringify(guest)
    return { verifier: kept.verifier, isOpen: kept.isOpen, isExact, sessions: 0 }
  }

  async putUser(user: DatabaseUser) {
    const { name, verifier, isOpen, guest } = user
    writeFileSync(this.#user(name), JSON.stringify({ name, verifier, isOpen, guest }))
  }

  async dropUser(name: DatabaseName) {
    rmSync(this.#user(name), { force: true })
  }

  async size(name: DatabaseName) {
    const place = this.#database(name)
    if (!existsSync(place)) return null
    return readdirSync(place).reduce((bytes, table) => bytes + statSync(join(place, table)).size, 0)
  }

  async dump({ user, file }: Copying) {
    await this.#mustBeLocked(user)
    const place = this.#database(user.name)
    const tables = readdirSync(place).filter((table) => table !== '.collation')
    const contents = tables.map((table) => [table, readFileSync(join(place, table), 'utf8')])
    writeSync(file, JSON.stringify(contents))
  }

  async load({ user, file }: Copying) {
    await this.#mustBeLocked(user)
    for (const [table, content] of JSON.parse(readFileSync(file, 'utf8'))) this.write(user.name, table, content)
  }

  /** What is copied while somebody writes is a mixture. */
  async #mustBeLocked({ name }: DatabaseUser): Promise<void> {
    if ((await this.user(name))?.isOpen !== false) throw new Error(`the user of ${name} is not locked`)
  }

  #database(name: string): string {
    return join(this.#place, 'databases', encodeURIComponent(name))
  }

  #user(name: string): string {
    return join(this.#place, 'users', encodeURIComponent(name))
  }
}

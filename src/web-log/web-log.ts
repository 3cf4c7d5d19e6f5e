/** nginx's messages on their way to two files: what a tenant may add is rationed, and what is dropped is told. */
import { readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LogFile } from './log-file.ts'
import { hostOf, lineOf, ownedLine, sentOf } from './message.ts'
import { Ration } from './ration.ts'
import { Traffic } from './traffic.ts'

export interface Bound {
  /** Bytes of one file. */
  readonly size: number
  /** Files that are kept beside the one that is written. */
  readonly kept: number
  /** Bytes that one tenant may add at once, and those that come back to it in a second. */
  readonly share: number
  readonly sharePerSecond: number
}

/** In sum 512 MB of requests and 32 MB of errors; a tenant alone fills no file. */
export const bounds: Readonly<Record<LogName, Bound>> = {
  access: { size: 64e6, kept: 7, share: 8e6, sharePerSecond: 1000 },
  error: { size: 8e6, kept: 3, share: 256e3, sharePerSecond: 64 },
}

export type LogName = 'access' | 'error'

/** Lines of no site have a ration of their own. */
const nobody = 'no-site'

/** Written before the tick when so much waits. */
const muchWaits = 256 * 1024
const hostsRemembered = 10_000
/** Messages to the daemon's own log in an hour, for all tenants. */
const mostTold = 60
const hourMs = 3_600_000

export interface WebLogOptions {
  /** Where the two files are. */
  readonly directory: string
  /** The routing table of the web server: a link for each name of a site. */
  readonly hosts: string
  /** A line for the daemon's log. */
  say(facts: Readonly<Record<string, unknown>>, message: string): void
  /** Milliseconds of a clock that only goes forward. */
  now(): number
}

export class WebLog {
  readonly #options: WebLogOptions
  readonly #logs: Readonly<Record<LogName, { readonly file: LogFile; readonly ration: Ration }>>
  readonly #traffic: Traffic
  readonly #tenants = new Map<string, string>()
  readonly #told = new Map<string, number>()

  constructor(options: WebLogOptions, limits = bounds) {
    this.#options = options
    const log = (name: LogName) => {
      const { size, kept, share, sharePerSecond } = limits[name]
      return {
        file: new LogFile({ path: join(options.directory, `${name}.log`), size, kept }),
        ration: new Ration({ store: share, perSecond: sharePerSecond, now: options.now }),
      }
    }
    this.#traffic = new Traffic({
      path: join(options.directory, 'traffic.json'),
      tenants: join(dirname(options.hosts), 'tenants'),
    })
    this.#logs = { access: log('access'), error: log('error') }
  }

  take(name: LogName, datagram: Buffer): void {
    const { file, ration } = this.#logs[name]
    const payer = this.#payer(datagram)
    if (name === 'access' && payer !== nobody) this.#traffic.count(payer, sentOf(datagram))
    if (!ration.take(payer, datagram.length)) return
    const line = lineOf(datagram)
    file.add(payer === nobody ? line : ownedLine[name](payer, line))
    if (file.waiting > muchWaits) this.#write(name)
  }

  /** To be called a few times a second: brings to the disk what waits. */
  write(): void {
    for (const name of ['access', 'error'] as const) this.#write(name)
  }

  /** To be called every minute: says what was dropped, in the log itself and in the daemon's, and keeps what was counted. */
  settle(): void {
    this.#keep('traffic', () => this.#traffic.write())
    this.#tenants.clear() // names change hands
    for (const name of ['access', 'error'] as const) {
      const { file, ration } = this.#logs[name]
      for (const { tenant, lines } of ration.settle()) {
        file.add(droppedLine[name](new Date(), tenant, lines))
        this.#tell(
          `${name} ${tenant}`,
          { log: name, tenant, lines },
          'lines of the web server were dropped: a ration is used up',
        )
      }
    }
  }

  #write(name: LogName): void {
    this.#keep(name, () => this.#logs[name].file.write())
  }

  #keep(log: LogName | 'traffic', write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#tell(log, { log, err: String(error) }, "the web server's log cannot be written")
    }
  }

  #payer(datagram: Buffer): string {
    const host = hostOf(datagram)
    return host === undefined ? nobody : this.#tenantOf(host)
  }

  #tenantOf(host: string): string {
    const known = this.#tenants.get(host)
    if (known !== undefined) return known
    if (this.#tenants.size >= hostsRemembered) this.#tenants.clear()
    const tenant = tenantByLink(join(this.#options.hosts, host))
    this.#tenants.set(host, tenant)
    return tenant
  }

  /** Each thing once an hour, and not too many of them. */
  #tell(what: string, facts: Readonly<Record<string, unknown>>, message: string): void {
    const now = this.#options.now()
    for (const [one, at] of this.#told) if (now - at > hourMs) this.#told.delete(one)
    if (this.#told.has(what) || this.#told.size >= mostTold) return
    this.#told.set(what, now)
    this.#options.say(facts, message)
  }
}

/** `hosts/<name>` leads to `../tenants/<tenant>/sites/<fqdn>`; only root makes these links. */
function tenantByLink(link: string): string {
  try {
    return /^\.\.\/tenants\/([a-z][a-z0-9]*)\//.exec(readlinkSync(link))?.[1] ?? nobody
  } catch {
    return nobody // no site has this name
  }
}

const droppedLine: Readonly<Record<LogName, (at: Date, tenant: string, lines: number) => string>> = {
  access: (at, tenant, dropped) => JSON.stringify({ tenant, time: at.toISOString(), dropped }),
  error: (at, tenant, lines) =>
    `${tenant === nobody ? '' : `${tenant} `}${at.toISOString()} [warn] wcp360: ${lines} lines of ${tenant} were dropped: its ration is used up`,
}

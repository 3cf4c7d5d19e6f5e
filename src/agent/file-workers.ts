/**
 * File workers for the panel: for each one the panel's socket is dialled and the connection handed on, so that a process of the
 * tenant's speaks with the panel, and neither of the two with root.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import { WcpError } from '../contract/errors.ts'
import type { TenantName } from '../contract/values.ts'
import { dialSocket } from './os/dial-socket.ts'
import type { Layout } from './os/layout.ts'
import type { FileWorker } from './os/run-as/file-work.ts'
import type { Services } from './os/services.ts'

export interface FileWorkersOptions {
  readonly places: Layout
  readonly services: Pick<Services, 'startFileWorker' | 'hasOwnViews'>
  /** The required owner of the panel's socket. */
  readonly panelUid: number
}

const mostOfTenant = 4
const mostOfAll = 32
const dialMs = 5_000

export class FileWorkers {
  readonly #options: FileWorkersOptions
  readonly #open = new Map<TenantName, number>()

  constructor(options: FileWorkersOptions) {
    this.#options = options
  }

  /** @throws WcpError `unavailable` or `busy` */
  async open(worker: FileWorker): Promise<void> {
    const { services, places } = this.#options
    // without a view of its own it could be led to files of other tenants that are open to all
    if (!services.hasOwnViews)
      throw new WcpError(
        'unavailable',
        'Cannot open the files: this machine has neither systemd nor permits namespaces',
      )
    this.#enter(worker.name)
    const connection = await this.#dial(worker).catch((error: unknown) => {
      this.#leave(worker.name)
      throw error
    })
    try {
      const started = await services.startFileWorker(worker, connection).catch((error: unknown) => {
        this.#leave(worker.name)
        throw error
      })
      void started.ended.finally(() => this.#leave(worker.name))
      // a suspension that began before it was there has not seen it; one that begins later does
      if (!existsSync(places.web.live(worker.name))) await started.end()
    } finally {
      connection.destroy()
    }
  }

  /** Connected, told which channel it is, and nothing read of it. */
  async #dial({ id }: FileWorker): Promise<Socket> {
    const { places, panelUid } = this.#options
    const connection = dialSocket(places.filesSocket, panelUid)?.pause()
    if (connection === undefined)
      throw new WcpError('unavailable', 'Cannot open the files: the panel does not wait for it')
    try {
      await once(connection, 'connect', { signal: AbortSignal.timeout(dialMs) })
      await new Promise<void>((resolve, reject) => {
        connection.write(id, (error) => (error ? reject(error) : resolve()))
      })
      return connection
    } catch (cause) {
      connection.destroy()
      throw new WcpError('unavailable', 'Cannot open the files: the panel does not take the connection', { cause })
    }
  }

  #enter(tenant: TenantName): void {
    const own = this.#open.get(tenant) ?? 0
    const all = [...this.#open.values()].reduce((sum, one) => sum + one, 0)
    if (own >= mostOfTenant || all >= mostOfAll)
      throw new WcpError('unavailable', 'Cannot open the files: so many are being worked on at once', {
        help: 'Try again when an upload or a download has ended.',
      })
    this.#open.set(tenant, own + 1)
  }

  #leave(tenant: TenantName): void {
    const left = (this.#open.get(tenant) ?? 1) - 1
    if (left > 0) this.#open.set(tenant, left)
    else this.#open.delete(tenant)
  }
}

/** The web server's logs as operations read them: of one tenant, the newest line first, so far and no further at once. */
import type { TenantName } from '../../contract/values.ts'

export type LogSource = 'access' | 'error'

export interface LogScan {
  readonly source: LogSource
  readonly tenant: TenantName
  /** Begin behind this place of an earlier scan, going back in time; undefined: at the newest line. */
  readonly cursor: string | undefined
  /** Come no further back than this place. */
  readonly after: string | undefined
}

export interface LogScanned {
  /** Where the log ended when it was begun. */
  readonly newest: string
  /** To go on from; null where there is nothing older. */
  readonly next: string | null
  /** It ended because it had read as much as one scan reads. */
  readonly isCut: boolean
}

export interface LogAccess {
  /**
   * Each line of the tenant, without its end.
   *
   * @param take false: that was enough, and a later scan begins with what is older
   */
  scan(scan: LogScan, take: (line: string) => boolean): Promise<LogScanned>
}

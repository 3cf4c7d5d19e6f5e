import type { LimitName } from '../../contract/wire.ts'

export interface AgentStatus {
  readonly connected: boolean
  /** Set while the agent only inspects: why. */
  readonly readOnly: string | null
  readonly version: string | null
  /** Limits that the machine cannot enforce; none while the agent is away. */
  readonly unenforced: readonly LimitName[]
  /** null: the agent has not told. */
  readonly phpVersions: readonly string[] | null
}

export interface AgentStatus {
  readonly connected: boolean
  /** Set while the agent only inspects: why. */
  readonly readOnly: string | null
  readonly version: string | null
  /** null: the agent has not told. */
  readonly phpVersions: readonly string[] | null
}

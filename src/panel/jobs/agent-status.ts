export interface AgentStatus {
  readonly connected: boolean
  /** Set while the agent only inspects: why. */
  readonly readOnly: string | null
  readonly version: string | null
  readonly phpVersions: readonly string[]
}

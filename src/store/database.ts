/** Every table of the panel's store, for Kysely. */
import type { Kysely } from 'kysely'
import type * as hosting from './tables/hosting.ts'
import type * as people from './tables/people.ts'
import type * as services from './tables/services.ts'
import type * as work from './tables/work.ts'

export interface Database {
  users: people.UserTable
  roles: people.RoleTable
  permissions: people.PermissionTable
  role_permissions: people.RolePermissionTable
  user_roles: people.UserRoleTable
  resellers: people.ResellerTable
  sessions: people.SessionTable
  api_keys: people.ApiKeyTable
  login_challenges: people.LoginChallengeTable
  totp_factors: people.TotpFactorTable
  client_certificates: people.ClientCertificateTable
  known_networks: people.KnownNetworkTable
  recovery_codes: people.RecoveryCodeTable
  mails: people.MailTable
  one_time_links: people.OneTimeLinkTable

  packages: hosting.PackageTable
  package_limits: hosting.PackageLimitTable
  tenants: hosting.TenantTable
  tenant_usage: hosting.TenantUsageTable
  usage_looks: hosting.UsageLookTable
  usage_history: hosting.UsageHistoryTable
  domains: hosting.DomainTable
  domain_names: hosting.DomainNameTable
  domain_proofs: hosting.DomainProofTable
  domain_proof_tries: hosting.DomainProofTryTable
  domain_claims: hosting.DomainClaimTable
  holds: hosting.HoldTable

  mail_boxes: services.MailBoxTable
  backups: services.BackupTable
  releases: services.ReleaseTable
  resources: services.ResourceTable

  nodes: work.NodeTable
  settings: work.SettingTable
  webhooks: work.WebhookTable
  webhook_deliveries: work.WebhookDeliveryTable
  kept_answers: work.KeptAnswerTable
  jobs: work.JobTable
  job_steps: work.JobStepTable
  audit_logs: work.AuditLogTable
  audit_heads: work.AuditHeadTable
  root_side: work.RootSideTable
  schema_migrations: work.SchemaMigrationTable
}

/** The store, or a transaction of it. */
export type Db = Kysely<Database>

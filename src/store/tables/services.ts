/** Services of tenants beside sites. The kinds that use these tables come later; the schema is laid at once. */
import type { Bit, CommonColumns, JsonText } from './common.ts'

interface TenantOwned extends CommonColumns {
  tenant_id: string
}

export interface MailBoxTable extends TenantOwned {
  domain_id: string
  address: string
  password_hash: string
  quota_mb: number | null
  status: string
  version: number
}

export interface BackupTable extends TenantOwned {
  target: string
  snapshot: string | null
  size_bytes: number | null
  status: string
  finished_at: string | null
  details: JsonText
}

export interface ReleaseTable extends TenantOwned {
  domain_id: string
  name: string
  source: string
  is_current: Bit
  status: string
  details: JsonText
}

export interface ResourceTable extends TenantOwned {
  name: string
  kind: string
  settings: JsonText
  status: string
  version: number
}

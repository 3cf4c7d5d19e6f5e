/** Columns that every table has. */
export interface CommonColumns {
  /** UUID v4. */
  id: string
  /** ISO 8601, UTC, milliseconds; so are all moments. */
  created_at: string
  updated_at: string
  /** In the trash since; null while it lives. */
  deleted_at: string | null
}

/** JSON as text, on both stores; `json.ts` reads and writes it. */
export type JsonText = string

/** 0 or 1, on both stores. */
export type Bit = number

/** Columns of a table whose rows jobs are about. */
export interface JobColumns extends CommonColumns {
  status: string
  /** Raised with each job: the fencing token. */
  version: number
}

/** The same for what belongs to a tenant. */
export interface OwnedColumns extends JobColumns {
  tenant_id: string
  /** Status to go back to, for what went into the trash with its tenant; else null. */
  status_before_tenant: string | null
}

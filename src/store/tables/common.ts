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

/** Permissions of roles. */
import type { Bit, CommonColumns, JsonText } from './common.ts'

export interface UserTable extends CommonColumns {
  email: string
  password_hash: string
  tenant_id: string | null
  status: string
  /** Whose form of numbers and dates, BCP 47; null: ISO 8601. */
  locale: string | null
  /** IANA; null: UTC. */
  time_zone: string | null
}

export interface RoleTable extends CommonColumns {
  name: string
  /** `global`, `reseller` or `local`. */
  scope: string
  /** Holds every permission, also those that come later. */
  all_permissions: Bit
  /** Comes with the product; nobody changes it. */
  is_built_in: Bit
  /** `optional`, `required`, or `certificate`: what who holds the role must show beside the password. */
  second_factor: string
}

/** `name` is the name of an operation. */
export interface PermissionTable extends CommonColumns {
  name: string
}

export interface RolePermissionTable extends CommonColumns {
  role_id: string
  permission_id: string
}

export interface UserRoleTable extends CommonColumns {
  user_id: string
  role_id: string
}

export interface ResellerTable extends CommonColumns {
  user_id: string
  limits: JsonText
}

export interface SessionTable extends CommonColumns {
  /** SHA-256 of the cookie, hexadecimal. */
  token_hash: string
  /** null for `bootstrap`. */
  user_id: string | null
  kind: string
  ip: string
  user_agent: string
  last_seen_at: string
  /** Dead from then on, unless it is used before. */
  idle_until: string
  expires_at: string
  /** The person who really acts, while acting as the user of the session. */
  impersonator_id: string | null
  /** Until then the impersonator's own session would have lasted. */
  resume_until: string | null
  /** When the person last proved who they are. */
  confirmed_at: string
  /** The second factor that was shown: `none`, `totp`, `recovery` or `certificate`. */
  factor: string
  /** Worth nothing on a connection that does not show this one; null: bound to none. */
  certificate_id: string | null
}

/** A right password whose second factor is still to come. */
export interface LoginChallengeTable extends CommonColumns {
  /** SHA-256 of the cookie, hexadecimal. */
  token_hash: string
  user_id: string
  tries: number
  expires_at: string
}

export interface TotpFactorTable extends CommonColumns {
  user_id: string
  /** Sealed (`sealed-text.ts`). */
  secret: string
  /** null until a first code has shown that the app has the secret. */
  confirmed_at: string | null
  /** Newest step (RFC 6238) whose code was used: no code is taken twice. */
  last_step: number
}

export interface ClientCertificateTable extends CommonColumns {
  user_id: string
  name: string
  /** SHA-256 of the public key, hexadecimal. */
  fingerprint: string
  expires_at: string
  last_used_at: string | null
}

export interface KnownNetworkTable extends CommonColumns {
  user_id: string
  /** As `networkOf` has it. */
  network: string
  used_at: string
}

export interface RecoveryCodeTable extends CommonColumns {
  user_id: string
  /** HMAC of the code. */
  code_digest: string
  used_at: string | null
}

export interface ApiKeyTable extends CommonColumns {
  user_id: string
  name: string
  /** By which it is found; no secret. */
  selector: string
  /** SHA-256 of the key, hexadecimal. */
  key_hash: string
  /** The key itself, sealed (`sealed-text.ts`); null for one that is sent with each request. */
  signing_secret: string | null
  scopes: JsonText
  addresses: JsonText
  expires_at: string
  last_used_at: string | null
}

export interface MailTable extends CommonColumns {
  kind: string
  to_address: string
  user_id: string | null
  /** `queued`, `sent` or `failed`. */
  state: string
  attempts: number
  next_try_at: string | null
  sent_at: string | null
  error: string | null
  /** Below the words of its kind. */
  lines: JsonText | null
}

export interface OneTimeLinkTable extends CommonColumns {
  /** SHA-256 of the token, hexadecimal. */
  token_hash: string
  user_id: string
  purpose: string
  /** The address to be verified. */
  email: string | null
  expires_at: string
}

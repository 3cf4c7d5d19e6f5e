/** A look at a site through the web server of this machine. */

/** The status of its answer, or why there is none. */
export type Visit = { readonly status: number; readonly toHttps: boolean } | { readonly failure: string }

/** The certificate that visitors get: whether it is for the host, and until when; null where there is none. */
export type Shown = { readonly names: boolean; readonly validTo: string } | null

/** One question to the DNS, bounded in time; that there is nothing is an answer. */
import { Resolver } from 'node:dns/promises'

export interface DnsLook {
  /** Addresses with or without ports; none: those of the system. */
  readonly servers: readonly string[]
  readonly signal: AbortSignal
}

export type Looked<T> = { readonly records: readonly T[] } | { readonly failure: string }

const tryMs = 2000
const absent = ['ENOTFOUND', 'ENODATA']

export async function ask<T>(
  { servers, signal }: DnsLook,
  look: (resolver: Resolver) => Promise<T[]>,
): Promise<Looked<T>> {
  const resolver = new Resolver({ timeout: tryMs, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    return { records: await look(resolver) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return absent.includes(code) ? { records: [] } : { failure: code.replace(/^E/, '') }
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** Addresses of name servers, with or without a port: `192.0.2.53`, `2001:db8::53`, `[2001:db8::53]:5353`. */
import { isIPv4, isIPv6 } from 'node:net'

export const dnsPort = 53

export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** @returns null for what is none */
export function serverAddress(text: string): ServerAddress | null {
  if (isIPv6(text)) return { host: text, port: dnsPort }
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<four>[\d.]+))(?::(?<port>\d{1,5}))?$/.exec(text)
  const { six, four = '', port = String(dnsPort) } = match?.groups ?? {}
  const isAddress = six === undefined ? isIPv4(four) : isIPv6(six)
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  return isAddress && isPort ? { host: six ?? four, port: Number(port) } : null
}

export function isServerAddress(text: string): boolean {
  return serverAddress(text) !== null
}

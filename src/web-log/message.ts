/** One datagram of nginx: the site that it is about, and its line, made harmless for whoever reads it. */
import { isHost } from '../contract/wake.ts'

/** nginx's own header of a datagram, with `nohostname` and the tag of our configuration. */
const header = /^<\d{1,3}>\w{3} [ \d]\d \d\d:\d\d:\d\d wcp360: /
const hostOfRequest = /^[^{]{0,40}\{"time":"[^"]*","host":"([^"]*)"/
const hostOfError = /, host: "([^":]*)/gs
/** A quote within one of nginx's values has a backslash before it, so that no visitor can write this. */
const sentByRequest = /,"status":\d{3},"sent":(\d{1,15}),/
/** Characters that would forge a line or control a terminal. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e]/gu

/** As visitors named it. Another site may be named on purpose, so it decides about rations and nothing else. */
export function hostOf(datagram: Buffer): string | undefined {
  const text = datagram.toString('latin1')
  const named = (hostOfRequest.exec(text)?.[1] ?? onlyHostOf(text))?.toLowerCase()
  return isHost(named) ? named : undefined
}

/** An error says what a visitor wrote before the host and behind it: where that names hosts as well, nobody can tell. */
function onlyHostOf(text: string): string | undefined {
  const [first, ...others] = text.matchAll(hostOfError)
  return others.length === 0 ? first?.[1] : undefined
}

/** Bytes that a request's answer took. */
export function sentOf(datagram: Buffer): number {
  return Number(sentByRequest.exec(datagram.toString('latin1'))?.[1] ?? 0)
}

export function lineOf(datagram: Buffer): string {
  return datagram.toString('utf8').replace(header, '').replace(unprintable, '?')
}

/** The line with its tenant before all else, where no visitor writes: so that who reads the log need ask nobody whose it is. */
export const ownedLine = {
  access: (tenant: string, line: string) => (line.startsWith('{') ? `{"tenant":"${tenant}",${line.slice(1)}` : line),
  error: (tenant: string, line: string) => `${tenant} ${line}`,
} as const

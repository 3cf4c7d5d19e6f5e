/** One datagram of nginx: the site that it is about, and its line, made harmless for whoever reads it. */
import { isHost } from '../contract/wake.ts'

/** nginx's own header of a datagram, with `nohostname` and the tag of our configuration. */
const header = /^<\d{1,3}>\w{3} [ \d]\d \d\d:\d\d:\d\d wcp360: /
const hostOfRequest = /^[^{]{0,40}\{"time":"[^"]*","host":"([^"]*)"/
const hostOfError = /.*, host: "([^":]*)/s
/** A quote within one of nginx's values has a backslash before it, so that no visitor can write this. */
const sentByRequest = /,"status":\d{3},"sent":(\d{1,15}),/
/** Characters that would forge a line or control a terminal. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e]/gu

/** As visitors named it. Another site may be named on purpose, so it decides about rations and nothing else. */
export function hostOf(datagram: Buffer): string | undefined {
  const text = datagram.toString('latin1')
  const named = (hostOfRequest.exec(text) ?? hostOfError.exec(text))?.[1]?.toLowerCase()
  return isHost(named) ? named : undefined
}

/** Bytes that a request's answer took. */
export function sentOf(datagram: Buffer): number {
  return Number(sentByRequest.exec(datagram.toString('latin1'))?.[1] ?? 0)
}

export function lineOf(datagram: Buffer): string {
  return datagram.toString('utf8').replace(header, '').replace(unprintable, '?')
}

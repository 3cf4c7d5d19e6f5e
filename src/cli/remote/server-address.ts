/** The address of a panel on another machine, as people type it. */
import { WcpError } from '../../contract/errors.ts'

export interface ServerAddress {
  /** `https://panel.example.com:8360`, without a slash at the end. */
  readonly origin: string
  /** For the connection: without the brackets of an IPv6 address. */
  readonly hostname: string
  readonly port: number
}

/** @param text an https URL, or a host with or without a port; 8360 unless told. @throws `bad_input` */
export function serverAddress(text: string): ServerAddress {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const url = URL.parse(hasScheme ? text : `https://${text}`)
  const isPlain = url?.protocol === 'https:' && url.hostname !== '' && `${url.username}${url.search}${url.hash}` === ''
  if (url === null || !isPlain || url.pathname !== '/')
    throw new WcpError('bad_input', `Cannot use "${text}" as a server`, {
      fields: [{ field: 'server', problem: 'is no address of a panel', accepted: 'https://panel.example.com:8360' }],
      help: 'Give the address that the browser shows, such as https://panel.example.com:8360.',
    })
  // An address that says https and no port means 443, as in a browser.
  const port = url.port !== '' ? Number(url.port) : hasScheme ? 443 : 8360
  return {
    origin: `https://${url.hostname}${port === 443 ? '' : `:${port}`}`,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
  }
}

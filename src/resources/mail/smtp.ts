/** One mail to one mail server. Certificates are checked; only a server on this machine may go without TLS. */
import type { SmtpServer } from '../../lib/config.ts'
import type { Message } from './message.ts'

const timeoutMs = 20_000

export interface Envelope extends Message {
  readonly from: string
  readonly to: string
}

/** Throws with the server's own words when it does not take the mail. */
export async function sendMail(server: SmtpServer, { from, to, subject, text, html }: Envelope): Promise<void> {
  // Late, because most starts of the panel send nothing; and in parts, because the whole brings what starts processes.
  const [{ default: Mailer }, { default: SmtpTransport }] = await Promise.all([
    import('nodemailer/lib/mailer'),
    import('nodemailer/lib/smtp-transport'),
  ])
  const options = {
    host: server.host,
    port: server.port,
    secure: server.isTls,
    requireTLS: !server.isTls && !server.isLocal,
    ignoreTLS: server.isLocal && !server.isTls,
    ...(server.login !== null && { auth: { user: server.login.user, pass: server.login.password } }),
    tls: { minVersion: 'TLSv1.2' },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const
  const transport = new Mailer(new SmtpTransport(options), options)
  try {
    await transport.sendMail({
      // As objects: nothing in an address is read as a second one.
      from: { name: 'WCP360', address: from },
      to: { name: '', address: to },
      subject,
      text,
      html,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  } finally {
    transport.close()
  }
}

/** A mail as text and as simple HTML, out of the same words. */
import { Eta } from 'eta/core'
import { shared } from '../../lib/texts.ts'
import { assetText } from '../../program/assets.ts'
import type { MailKind } from './schema.ts'
import { letters } from './words.ts'

export interface Message {
  readonly subject: string
  readonly text: string
  readonly html: string
}

interface Parts {
  /** null for a mail without one. */
  readonly link: string | null
  readonly lines: readonly string[]
}

/** @param host of the panel, as people know it */
export function message(kind: MailKind, host: string, { link, lines }: Parts): Message {
  const words = letters[kind]
  const model = { t: shared, words, host, link, lines }
  return {
    subject: `${words.subject} (${host})`,
    text: plain.renderString(assetText('templates/mail/message.txt.eta'), model),
    html: markup.renderString(assetText('templates/mail/message.html.eta'), model),
  }
}

const plain = new Eta({ autoEscape: false })
const markup = new Eta({ autoEscape: true })

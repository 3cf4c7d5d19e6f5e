/** System templates to text. The only values a template sees are strings that cannot end a directive, numbers and truth values. */
import { Eta, type TemplateFunction } from 'eta'
import { WcpError } from '../../contract/errors.ts'
import { assetText } from '../../program/assets.ts'

const eta = new Eta({ autoEscape: false, autoTrim: false, rmWhitespace: false, cache: true })
/** An included template lies below `templates/system/` like itself. */
eta.resolvePath = (name) => name
eta.readFile = (name) => assetText(`templates/system/${name}`)

/** A template's text does not change while the program runs. */
const known = new Map<string, TemplateFunction>()

function compiled(name: string): TemplateFunction {
  const template = known.get(name) ?? eta.compile(assetText(`templates/system/${name}`))
  known.set(name, template)
  return template
}

/** Everything that file names and addresses of ours are made of; no space, quote, brace, semicolon, dollar or line break (C11, C12). */
const plain = /^[A-Za-z0-9_./:@\-[\]]*$/

export type Values = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** @param name below `templates/system/`, such as `nginx/wcp360.conf.eta`. */
export function renderSystem(name: string, values: Values): string {
  for (const [key, value] of Object.entries(values)) {
    const strings = typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
    const bad = strings.find((text) => !plain.test(text))
    if (bad !== undefined) throw new WcpError('internal', `Cannot render "${name}": ${key} may not be "${bad}"`)
  }
  return eta.render(compiled(name), values)
}

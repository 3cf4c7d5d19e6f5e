/** PHP of a site, on its page: the version, and what is chosen, each with the line that does the same. */
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Fact, Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import type { Look, Tab } from '../kind.ts'
import * as operations from './operations.ts'
import { refOf } from './pages.ts'
import type { ShownPhpOptions } from './php-options.ts'
import type { Domain } from './schema.ts'
import type { words as own } from './words.ts'

type Field = 'php' | keyof ShownPhpOptions

/** Where nothing is chosen, its line says how something is. */
const examples: { readonly [key in Field]: Domain[key] } = {
  php: '8.4',
  phpMemoryMb: 256,
  phpUploadMb: 64,
  phpMaxSeconds: 120,
  phpInputVars: 5000,
  phpTimezone: 'Europe/Vienna',
  phpShowErrors: true,
  phpErrorLevel: 'all',
  phpOpcache: false,
  phpJit: true,
  phpOwnSessions: true,
}

const defaults: Partial<Record<Field, boolean>> = {
  phpShowErrors: false,
  phpOpcache: true,
  phpJit: false,
  phpOwnSessions: false,
}

const groups = {
  version: ['php'],
  limits: ['phpMemoryMb', 'phpUploadMb', 'phpMaxSeconds', 'phpInputVars'],
  messages: ['phpErrorLevel', 'phpShowErrors', 'phpTimezone'],
  speed: ['phpOpcache', 'phpJit'],
  sessions: ['phpOwnSessions'],
} as const satisfies Readonly<Record<string, readonly Field[]>>

export const phpTab: Tab<Domain, typeof own> = {
  slug: 'php',
  order: 16,
  title: ({ words }) => words.php,
  needs: 'domain.get',
  input: (one) => ({ domain: refOf(one) }),
  async sections(one, look) {
    const isOpen = one.status === 'active' && look.may('domain.update')
    const shown = one.php === null ? (['version'] as const) : (Object.keys(groups) as (keyof typeof groups)[])
    return shown.map((name): Section => {
      const fields: readonly Field[] = groups[name]
      const href = `/do/domain.update${query({ domain: refOf(one), _only: fields.join(' ') })}`
      return {
        title: look.words.phpGroups[name],
        facts: fields.map((field) => factOf(one, look, field)),
        ...(isOpen && { link: { title: look.t.verbs.update, href } }),
      }
    })
  },
}

function factOf(one: Domain, look: Look<typeof own>, field: Field): Fact {
  const value = one[field]
  const isDefault = value === null || value === defaults[field]
  const line = toCommandLine(operations.update, {
    domain: refOf(one),
    [field]: isDefault ? examples[field] : value,
  })
  return { title: look.words.fields[field], text: said(one, look, field), sub: line }
}

function said(one: Domain, { t, words: { phpSays: says } }: Look<typeof own>, field: Field): string {
  const { php, phpMemoryMb, phpUploadMb, phpMaxSeconds, phpInputVars, phpTimezone, phpErrorLevel } = one
  const texts: Readonly<Record<Field, string>> = {
    php: php ?? t.form.noPhp,
    phpMemoryMb: phpMemoryMb === null ? says.packageMemory : `${phpMemoryMb} MB`,
    phpUploadMb: `${phpUploadMb ?? 128} MB`,
    phpMaxSeconds: `${phpMaxSeconds ?? 30} s`,
    phpInputVars: `${phpInputVars ?? 1000}`,
    phpTimezone: phpTimezone ?? 'UTC',
    phpErrorLevel: phpErrorLevel === null ? says.ordinaryLevel : says.levels[phpErrorLevel],
    phpShowErrors: one.phpShowErrors ? says.shown : says.hidden,
    phpOpcache: one.phpOpcache ? says.kept : says.compiledAnew,
    phpJit: one.phpJit ? says.jit : says.noJit,
    phpOwnSessions: one.phpOwnSessions ? says.ownSessions : says.sharedSessions,
  }
  return texts[field]
}

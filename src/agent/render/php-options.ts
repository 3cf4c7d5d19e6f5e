/** What is chosen for PHP of one site, as PHP reads it at its start: sections by host, in force for requests to it alone. */
import { errorLevels, type PhpOptions } from '../../contract/php-options.ts'
import type { Fqdn } from '../../contract/values.ts'

/** Directives and their values; PHP takes a larger one for compiled scripts as address space alone. */
const jitBufferMb = 32

export interface OptionsOfSite {
  /** All names that the site answers for. */
  readonly names: readonly Fqdn[]
  /** Directory of its own sessions. */
  readonly sessions: string
  readonly options: PhpOptions
}

type Directives = Readonly<Record<string, string>>

/**
 * Text of `layout.web.phpOptionsOf`. PHP sets these at the beginning of a request to one of the names, for no other, and no
 * script, `.user.ini` or pool says otherwise.
 */
export function renderPhpOptions({ names, sessions, options }: OptionsOfSite): string {
  const own = { ...directives(options), ...(options.ownSessions && { 'session.save_path': sessions }) }
  return ['; Written by WCP360; changes are overwritten.\n', section('PHP', atStart(options))]
    .concat(names.map((name) => section(`HOST=${name}`, own)))
    .join('')
}

/** Asked of PHP itself before they are in force. */
export function directivesToTry(options: PhpOptions): Directives {
  return { ...directives(options), ...bufferFor(options) }
}

function directives(options: PhpOptions): Directives {
  const { memoryMb, uploadMb, seconds, inputVars, timezone, showsErrors, errorLevel, withoutOpcache, jit } = options
  return {
    ...(memoryMb !== undefined && { memory_limit: `${memoryMb}M` }),
    ...(uploadMb !== undefined && { upload_max_filesize: `${uploadMb}M`, post_max_size: `${uploadMb}M` }),
    ...(seconds !== undefined && { max_execution_time: `${seconds}` }),
    ...(inputVars !== undefined && { max_input_vars: `${inputVars}` }),
    ...(timezone !== undefined && { 'date.timezone': timezone }),
    ...(showsErrors && { display_errors: '1' }),
    ...(errorLevel !== undefined && { error_reporting: `${errorLevels[errorLevel]}` }),
    ...(withoutOpcache && { 'opcache.enable': '0' }),
    ...(jit && { 'opcache.jit': 'tracing' }),
  }
}

/** Room for JIT is taken by the master; it is off but where a site has it on. */
function atStart(options: PhpOptions): Directives {
  return options.jit ? { ...bufferFor(options), 'opcache.jit': 'off' } : {}
}

function bufferFor({ jit }: PhpOptions): Directives {
  return jit ? { 'opcache.jit_buffer_size': `${jitBufferMb}M` } : {}
}

function section(name: string, values: Directives): string {
  const lines = Object.entries(values).map(([directive, value]) => `${directive} = "${value}"\n`)
  return lines.length === 0 ? '' : `[${name}]\n${lines.join('')}`
}

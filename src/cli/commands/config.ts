/** `wcp config …`: the configuration file, read and changed without losing its comments. */
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseDocument } from 'yaml'
import { WcpError } from '../../contract/errors.ts'
import { ConfigError, loadConfig, settingKey, settingNames } from '../../lib/config.ts'
import { type Output, printJson, printRecord } from '../../lib/print.ts'
import type { LocalCommand } from '../program.ts'

/** @param file the configuration, `/etc/wcp360/config.yaml`. */
export function configCommands(file: string, output: Output): readonly LocalCommand[] {
  return [
    {
      words: 'config show',
      summary: 'Show what is in force: the file, the environment, and defaults',
      options: [['--json', 'print it as JSON']],
      async run(_args, options) {
        const config = check(read(file), file)
        const shown = Object.fromEntries(settingNames.map((name) => [settingKey(name), withoutSecrets(config[name])]))
        if (options.json === true) printJson(output, shown)
        else printRecord(output, shown)
        return 0
      },
    },
    {
      words: 'config validate',
      summary: 'Check the file and say which line is wrong',
      args: [['[file]', 'another file than the one in use']],
      async run([other]) {
        const path = other ?? file
        check(read(path), path)
        output.err(`${path} is good\n`)
        return 0
      },
    },
    {
      words: 'config set',
      summary: 'Change one key; comments and the other lines stay',
      args: [
        ['<key>', `one of ${settingNames.map(settingKey).join(', ')}`],
        ['<value>', 'the new value'],
      ],
      async run([key = '', value = '']) {
        const document = parseDocument(read(file))
        document.set(key, /^-?\d+$/.test(value) ? Number(value) : value)
        const text = document.toString({ lineWidth: 0 })
        check(text, file)
        replace(file, text)
        output.err(`${key} is set; "systemctl reload wcpd" (or SIGHUP to wcpd) brings it into force\n`)
        return 0
      },
    },
  ]
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new WcpError('not_found', `Cannot read "${file}"`, {
      cause,
      help: 'Run as root; install.sh writes the file.',
    })
  }
}

function check(text: string, file: string): ReturnType<typeof loadConfig> {
  try {
    return loadConfig(text, process.env, file)
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new WcpError('bad_input', `Cannot use the configuration: ${cause.message}`, {
      cause,
      help: 'Nothing was changed. "wcp config show" lists the keys.',
    })
  }
}

/** Whole or not at all: a new file, synced, renamed over the old one. */
function replace(file: string, text: string): void {
  const next = `${file}.new`
  const descriptor = openSync(next, 'w', 0o600)
  writeSync(descriptor, text)
  fsyncSync(descriptor)
  closeSync(descriptor)
  chmodSync(next, 0o600)
  renameSync(next, file)
  const directory = openSync(dirname(file), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Parts of settings that open something. */
const secrets = new Set(['password', 'key'])

function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/:\/\/([^:@/]*):[^@]*@/, '://$1:…@')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, secrets.has(name) ? '…' : withoutSecrets(part)]),
  )
}

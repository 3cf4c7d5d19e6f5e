import { describe, expect, it } from 'vitest'
import { PhpOptions } from '../../contract/php-options.ts'
import { Fqdn } from '../../contract/values.ts'
import { directivesToTry, renderPhpOptions } from './php-options.ts'

const names = ['shop.example.com', 'www.shop.example.com'].map((name) => Fqdn.parse(name))
const sessions = '/srv/www/acme/sites/shop.example.com/sessions'
const render = (options: unknown) => renderPhpOptions({ names, sessions, options: PhpOptions.parse(options) })

describe('what is chosen for PHP of a site', () => {
  it('is a section for each of its names, and nothing of PHP that all sites share', () => {
    expect(render({ memoryMb: 96, timezone: 'Europe/Vienna', errorLevel: 'errors', ownSessions: true })).toBe(
      ['; Written by WCP360; changes are overwritten.']
        .concat(
          names.flatMap((name) => [
            `[HOST=${name}]`,
            'memory_limit = "96M"',
            'date.timezone = "Europe/Vienna"',
            'error_reporting = "4437"',
            `session.save_path = "${sessions}"`,
          ]),
          '',
        )
        .join('\n'),
    )
  })

  it('has room for JIT taken at the start, where it is off for everybody else', () => {
    expect(render({ jit: true }).match(/^\[.*|^opcache.*/gm)).toEqual([
      '[PHP]',
      'opcache.jit_buffer_size = "32M"',
      'opcache.jit = "off"',
      ...names.flatMap((name) => [`[HOST=${name}]`, 'opcache.jit = "tracing"']),
    ])
    expect(directivesToTry({ jit: true })).toEqual({ 'opcache.jit': 'tracing', 'opcache.jit_buffer_size': '32M' })
  })

  it.each([
    { memoryMb: 31 },
    { memoryMb: 64.5 },
    { memoryMb: '64' },
    { uploadMb: 129 },
    { seconds: 0 },
    { seconds: 301 },
    { inputVars: 99 },
    { timezone: 'Europe/Vienna"\nextension=x' },
    { timezone: '../../etc/passwd' },
    { timezone: '$' + '{PATH}' },
    { errorLevel: '4437' },
    { showsErrors: false },
    { jit: true, withoutOpcache: true },
    { auto_prepend_file: '/etc/passwd' },
  ])('cannot be %j', (options) => {
    expect(PhpOptions.safeParse(options).success).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { WcpError } from '../contract/errors.ts'
import { fieldsOf } from '../contract/fields.ts'
import { type AnyOperation, operationsFor } from '../contract/operation.ts'
import { TenantCommand } from '../contract/tenant-command.ts'
import { Fqdn, Id, PhpVersion, TenantName } from '../contract/values.ts'
import { parseCommandLine, toCommandLine, usageLine } from './command-spec.ts'
import { splitWords } from './words.ts'

const define = operationsFor<never>()
const create = define({
  name: 'domain.create',
  summary: 'Serve a domain',
  effect: 'machine',
  policy: { scopes: ['global'] },
  http: 'POST /domains',
  positional: ['fqdn'],
  secret: ['token'],
  input: () =>
    z.strictObject({
      tenant: z.union([Id, TenantName]),
      fqdn: Fqdn,
      aliases: z.array(Fqdn).optional(),
      php: PhpVersion.nullable().optional(),
      note: z.string().optional(),
      quiet: z.boolean().optional(),
      token: z.string().optional(),
      limits: z.strictObject({ memMb: z.int().min(64).nullable() }).optional(),
    }),
  output: () => z.object({ id: Id }),
  run: () => Promise.reject(new Error('never run here')),
})
const list = define({
  name: 'domain.list',
  summary: 'List domains',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /domains',
  positional: [],
  input: () => z.strictObject({ limit: z.int().min(1).max(200).default(50), search: z.string().optional() }),
  output: () => z.object({}),
  run: () => Promise.resolve({}),
})
const run = define({
  name: 'domain.run',
  summary: 'Run a command',
  effect: 'machine',
  policy: { scopes: ['global'] },
  http: 'POST /domains/{domain}/run',
  positional: ['domain', 'command'],
  input: () => z.strictObject({ domain: Fqdn, command: TenantCommand, seconds: z.int().default(600) }),
  output: () => z.object({ id: Id }),
  run: () => Promise.reject(new Error('never run here')),
})
const operations: AnyOperation[] = [create, list, run]
const parse = (line: string) => parseCommandLine(splitWords(line), operations)

describe('fieldsOf', () => {
  it('reads types, bounds, choices and references out of a schema', () => {
    const fields = Object.fromEntries(fieldsOf(create.input).map((field) => [field.name, field]))

    expect(fields.tenant).toMatchObject({ type: 'text', required: true, isReference: true })
    expect(fields.fqdn).toMatchObject({ type: 'text', required: true, isReference: false, maxLength: 253 })
    expect(fields.php).toMatchObject({ type: 'choice', nullable: true, required: false })
    expect(fields.php?.choices).toContain('8.4')
    expect(fields['limits.memMb']).toMatchObject({ type: 'integer', nullable: true, min: 64, max: undefined })
    expect(fieldsOf(list.input)[0]).toMatchObject({ name: 'limit', default: 50, required: false, max: 200 })
  })
})

describe('a command of a tenant', () => {
  const words = ['wcp', 'run', 'shop.example.com', '--seconds', '5', '--', 'ls', '--help', '--seconds', '', 'a b', '--']
  const input = { domain: 'shop.example.com', seconds: 5, command: ['ls', '--help', '--seconds', '', 'a b', '--'] }

  it('is everything after "--", as it is, also by the short form', () => {
    expect(parseCommandLine(words, operations).input).toEqual(input)
    expect(parseCommandLine(['domain', ...words.slice(1)], operations).input).toEqual(input)
  })

  it('comes back from the line that a page prints', () => {
    expect(parse(toCommandLine(run, input)).input).toEqual(input)
  })
})

describe('a command line', () => {
  const inputs: Record<string, unknown>[] = [
    { tenant: 'blog', fqdn: 'a.example.com' },
    { tenant: 'blog', fqdn: 'a.example.com', aliases: ['b.example.com', 'c.example.com'], php: null },
    { tenant: 'blog', fqdn: '-x', note: '-- it\'s "so" $HOME \\ `id`', quiet: false, limits: { memMb: 256 } },
    { tenant: 'blog', fqdn: 'a.b', note: '', aliases: [], quiet: true, limits: { memMb: null } },
  ]
  it.each(inputs)('is read back as the input it was made from: %j', (input) => {
    expect(parse(toCommandLine(create, input))).toEqual({
      operation: create,
      input,
      toPrompt: [],
      flags: { plan: false, json: false, yes: false },
    })
  })

  it('leaves the values of secrets out', () => {
    const line = toCommandLine(create, { tenant: 'blog', fqdn: 'a.b', token: 'canary' })

    expect(line).toBe('wcp domain create a.b --tenant blog --token')
    expect(parse(line)).toMatchObject({ input: { tenant: 'blog', fqdn: 'a.b' }, toPrompt: ['token'] })
  })

  it('names a secret without its value before another option as well, and else takes the value', () => {
    expect(parse('domain create a.b --token --tenant blog')).toMatchObject({ toPrompt: ['token'] })
    for (const line of ['domain create a.b --token x', 'domain create a.b --token=x', 'domain create --token x a.b'])
      expect(parse(line)).toMatchObject({ input: { fqdn: 'a.b', token: 'x' }, toPrompt: [] })
  })

  it('takes flags of its own anywhere', () => {
    expect(parse('domain create --plan a.b --tenant=blog --json').flags).toEqual({ plan: true, json: true, yes: false })
  })

  it.each([
    ['', '"" is no kind of thing'],
    ['wcp cat', '"cat" is no kind of thing'],
    ['wcp domain', '"domain" needs a verb'],
    ['wcp domain eat', '"domain" knows no "eat"'],
    ['wcp domain create', '"fqdn" is missing'],
    ['wcp domain create a.b c.d', '"c.d" is one word too many'],
    ['wcp domain create a.b --tennant x', 'has no option "--tennant"'],
    ['wcp domain create a.b --no-php', 'has no option "--no-php"'],
    ['wcp domain create a.b --php', '"php" needs a value'],
    ['wcp domain list --plan', 'it changes nothing'],
    ["wcp domain create 'a", "a ' is never closed"],
  ])('says what is wrong with %j', (line, message) => {
    expect(() => parse(line)).toThrow(WcpError)
    expect(() => parse(line)).toThrow(message)
  })

  it('shows its usage, what is required first', () => {
    expect(usageLine(list)).toBe('wcp domain list [--limit N] [--search SEARCH]')
    expect(usageLine(create)).toMatch(/^wcp domain create <fqdn> --tenant TENANT \[--aliases ALIASES\]/)
  })
})

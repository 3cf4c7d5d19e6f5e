import { describe, expect, it } from 'vitest'
import { type AnyOperation, demandPolicies, httpBinding, kindOf, verbOf } from '../../src/contract/operation.ts'
import { type Command, usageLine } from '../../src/lib/command-spec.ts'
import { operations } from '../../src/resources/index.ts'
import { commandsText } from '../../src/tools/build-commands.ts'

describe('the registry of operations', () => {
  it('holds each name and each route once', () => {
    const names = operations.map(({ name }) => name)
    const routes = operations.map(({ http }) => http.replace(/\{\w+\}/g, '{}'))

    expect(new Set(names).size).toBe(names.length)
    expect(new Set(routes).size).toBe(routes.length)
  })

  it('is what the command line knows of it', () => {
    const commands: readonly Command[] = JSON.parse(commandsText())

    expect(commands.map(usageLine)).toEqual(operations.map(usageLine))
  })

  it('has what an administrator expects of each kind', () => {
    const kinds = new Set(operations.map(kindOf))
    expect([...kinds].sort()).toEqual([
      'api-key',
      'app',
      'audit',
      'certificate',
      'client-certificate',
      'condition',
      'cron',
      'database',
      'database-user',
      'display',
      'dns-key',
      'domain',
      'file',
      'health',
      'job',
      'mail',
      'package',
      'policy',
      'probe',
      'reseller',
      'role',
      'session',
      'settings',
      'ssh-key',
      'ssh-session',
      'tenant',
      'totp',
      'user',
      'webhook',
    ])
    for (const kind of ['package', 'tenant', 'domain', 'user', 'role', 'reseller']) {
      for (const verb of ['list', 'get', 'create', 'update', 'delete', 'restore']) {
        expect(operations.map(({ name }) => name)).toContain(`${kind}.${verb}`)
      }
    }
  })
})

describe('an operation without a policy', () => {
  it.each([
    ['none at all', undefined],
    ['no scope', { scopes: [] }],
    ['a scope that there is not', { scopes: ['global', 'everywhere'] }],
    ['not even administrators', { scopes: ['local'] }],
  ])('ends the start: %s', (_, policy) => {
    const [first] = operations
    const odd = { ...first, name: 'odd.one', policy } as unknown as AnyOperation

    expect(() => demandPolicies([...operations, odd])).toThrow('Operation "odd.one" does not say who may call it')
  })
})

describe.each(operations)('$name', (operation) => {
  const fields = operation.fields
  const keys = Object.keys(operation.input.shape)

  it('takes its path keys, positions and secrets from its input', () => {
    for (const key of [...httpBinding(operation).pathKeys, ...operation.positional, ...(operation.secret ?? [])])
      expect(keys).toContain(key)
  })

  it('explains each of its fields', () => {
    expect(fields.filter(({ description }) => !description).map(({ name }) => name)).toEqual([])
  })

  it('refuses a field that it does not know', () => {
    expect(
      operation.input
        .safeParse({ surprise: 1 })
        .error?.issues.some(({ code }: { code: string }) => code === 'unrecognized_keys'),
    ).toBe(true)
  })

  it('uses the method that its effect has', () => {
    const { method } = httpBinding(operation)
    expect(operation.effect === 'read').toBe(method === 'GET')
  })

  it('asks for a fresh proof before it deletes or hands out a secret', () => {
    const isDangerous = ['delete', 'purge'].includes(verbOf(operation)) || operation.secret?.includes('password')
    if (isDangerous) expect(operation.stepUp).toBe(true)
  })

  it('is summed up in one line without a full stop', () => {
    expect(operation.summary).toMatch(/^[A-Z][^\n]*[^.\n]$/)
  })
})

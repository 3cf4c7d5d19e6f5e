/** Sets of permissions that people begin with, when they make a role or an API key. */
import type { AnyOperation } from '../contract/operation.ts'

type Named = Pick<AnyOperation, 'name' | 'effect' | 'policy'>

export function isReading({ effect }: Named): boolean {
  return effect === 'read'
}

const deploying = ['list', 'get', 'check', 'run', 'repair', 'output', 'stop']

/** What a pipeline needs to put a new version of a site in place. */
export function isOfDeploying({ name }: Named): boolean {
  const [kind = '', verb = ''] = name.split('.')
  return ['domain', 'job'].includes(kind) && deploying.includes(verb)
}

/** As a customer does, whichever kinds of things there are. */
export function isOfSites({ policy }: Named): boolean {
  return policy.holders?.includes('customer') ?? false
}

const billing = ['list', 'get', 'usage', 'sell', 'create', 'update', 'suspend', 'unsuspend', 'lock', 'unlock']

/** Customers and what they have bought; nothing of what is on their sites. */
export function isOfBilling({ name, effect }: Named): boolean {
  const [kind = '', verb = ''] = name.split('.')
  return (kind === 'tenant' && billing.includes(verb)) || (kind === 'package' && effect === 'read')
}

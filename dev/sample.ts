/** Sample customers and sites, made by operations and jobs as anybody's are. What is there already is left as it is. */
import { z } from 'zod'
import { asWcpError } from '../src/contract/errors.ts'
import type { Product } from '../test/support/product.ts'

const Accepted = z.looseObject({ jobId: z.string(), domain: z.looseObject({ jobId: z.string() }).nullish() })
const Job = z.looseObject({ state: z.string(), failure: z.looseObject({ message: z.string() }).nullable() })

export const people = {
  admin: 'admin@example.com',
  reseller: 'seller@example.com',
  customer: 'ann@example.com',
} as const

/** The first is served by PHP where that is installed. */
export const sites = ['bakery.test', 'florist.test', 'garage.test'] as const

/** @param php the version to use, or none */
export async function makeSample(
  product: Product,
  { password, php }: { password: string; php: string },
): Promise<void> {
  const post = (path: string, body: Readonly<Record<string, unknown>>) => product.call('POST', path, body)
  const unlessThere = async (path: string, make: () => Promise<unknown>) => {
    if (!(await isThere(product, path))) await make()
  }
  const job = async (path: string, body: Readonly<Record<string, unknown>>) => {
    const { jobId, domain } = Accepted.parse(await post(path, body))
    for (const id of [jobId, ...(domain ? [domain.jobId] : [])]) await succeeded(product, id)
  }
  const page = (site: string, name: string, text: string) =>
    job(`/domains/${site}/run`, {
      command: ['/bin/sh', '-c', 'rm -f index.html && printf "%s\\n" "$2" >"$1"', '-', name, text],
    })

  const small = { maxDomains: 10, cpuPct: 100, memMb: 512, pids: 128 }
  await unlessThere('/packages/default', () => post('/packages', { name: 'default', ...small }))
  await unlessThere(`/users/${people.admin}`, () =>
    post('/users', { email: people.admin, password, role: 'system_admin' }),
  )
  await unlessThere('/tenants/bakery', async () => {
    await job('/tenants', { name: 'bakery', domain: 'bakery.test', php })
    if (php !== 'none') await page('bakery.test', 'index.php', '<h1>Bakery</h1><p>PHP <?= PHP_VERSION ?></p>')
  })
  await unlessThere(`/users/${people.customer}`, () =>
    post('/users', { email: people.customer, password, role: 'user', tenant: 'bakery' }),
  )
  await unlessThere('/tenants/florist', async () => {
    await job('/tenants', { name: 'florist', domain: 'florist.test', php: 'none' })
    await page('florist.test', 'index.html', '<h1>Florist</h1>')
  })
  await unlessThere(`/users/${people.reseller}`, () =>
    post('/resellers', { email: people.reseller, password, maxTenants: 5 }),
  )
  await unlessThere('/tenants/garage', async () => {
    const reseller = people.reseller
    await post('/packages', { name: 'workshop', reseller, ...small })
    await job('/tenants', { name: 'garage', domain: 'garage.test', package: 'workshop', reseller, php: 'none' })
  })
}

async function isThere(product: Product, path: string): Promise<boolean> {
  try {
    await product.call('GET', path)
    return true
  } catch (error) {
    if (asWcpError(error).code === 'not_found') return false
    throw error
  }
}

async function succeeded(product: Product, id: string): Promise<void> {
  await product.until(`job ${id} has ended`, async () => {
    const { state, failure } = Job.parse(await product.call('GET', `/jobs/${id}`))
    if (failure !== null) throw new Error(`Cannot make the sample: ${failure.message}`)
    return state === 'succeeded'
  })
}

/**
 * WordPress in the document root of a site. It is filled beside it, by the tenant, and takes its place in one moment when
 * everything has ended well; the former one, which holds no more than the first page of a new site, stays beside it.
 */
import { createHash } from 'node:crypto'
import { collationsOf } from '../../../contract/database.ts'
import { WcpError } from '../../../contract/errors.ts'
import type { TenantCommand } from '../../../contract/tenant-command.ts'
import { type Fqdn, Id, type PhpVersion, type TenantLimits } from '../../../contract/values.ts'
import { verifierOf } from '../../../lib/database-password.ts'
import { appInstall } from '../../../resources/app/jobs.ts'
import type { Machine } from '../../os/machine.ts'
import { endedRun, type Purpose } from '../../steps/ended-run.ts'
import { handedOverTree } from '../../steps/handed-over-tree.ts'
import type { Step } from '../../steps/step.ts'
import { swappedDirectory } from '../../steps/swapped-directory.ts'
import { whileMissing } from '../../steps/while-missing.ts'
import { sameOrNew } from '../database/create.ts'
import { type Database, databaseFacts, putDatabase } from '../database/facts.ts'
import { docrootOwnership } from '../domain/facts.ts'
import { runOf } from '../domain/run.ts'
import { identity, siteIn, type Tenant, tenantIn } from '../judge.ts'
import { provision } from '../provisioner.ts'
import {
  configText,
  databasePassword,
  type FirstUser,
  lookCommand,
  mustHaveWordpress,
  permalinksCommand,
  setUpCommand,
  unpackCommand,
} from './wordpress.ts'

type Target = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly app: Id
  readonly fqdn: Fqdn
  readonly php: PhpVersion
  readonly run: Id
  readonly database: Database
  readonly isNew: boolean
  readonly first: FirstUser
}

export const installApp = provision(appInstall, {
  async target({ tenant: tenantId, app, domain, run, database: id, name, ...rest }, world): Promise<Target> {
    const { registry, machine } = world
    const found = tenantIn(registry, tenantId, ['active'])
    const { fqdn, php } = siteIn(registry, tenantId, domain, ['active'])
    if (php === null)
      throw new WcpError('conflict', `Cannot install WordPress in "${fqdn}": the site has no PHP`, {
        help: 'Give the domain a PHP version first.',
      })
    mustHaveWordpress(machine, ['wpCli', 'wordpress'])
    const verifier = verifierOf('mariadb', await databasePassword(machine, { tenant: tenantId, app }))
    const [collation] = collationsOf.mariadb
    const wanted: Database = { id, engine: 'mariadb', name, collation, verifier, state: 'active' }
    const known = await sameOrNew(world, found, wanted)
    const [database, isNew] = [known ?? wanted, known === undefined]
    return { tenant: identity(found), limits: found.limits, app, fqdn, php, run, database, isNew, first: rest }
  },
  reserve(registry, { tenant, database, isNew }) {
    if (isNew) putDatabase(registry, tenant.id, { ...database, state: 'making' })
  },
  steps(target, machine) {
    const { customers } = machine.places
    const { tenant, fqdn, app } = target
    const aside = customers.formerDocroot(tenant.name, fqdn, app)
    const docroot = customers.docroot(tenant.name, fqdn)
    const fresh = customers.freshDocroot(tenant.name, fqdn)
    const way = (steps: readonly Step[]) => steps.map((one) => whileMissing(aside, one))
    const inFresh = (part: string, command: TenantCommand, purpose: Purpose) =>
      run(target, machine, { part, directory: fresh, command }, purpose)
    const { places } = machine
    return [
      ...way([run(target, machine, { part: 'look', directory: docroot, command: lookCommand(fqdn) }, free(fqdn))]),
      ...databaseFacts(target.database, true),
      ...way([
        freshTree(target, machine),
        inFresh('unpack', unpackCommand(places), unpacked),
        inFresh('set up', setUpCommand(places, fqdn, target.first), setUp),
        inFresh('permalinks', permalinksCommand(places), permalinks),
      ]),
      swappedDirectory({ path: docroot, fresh, aside }),
    ]
  },
  settle: (registry, { tenant, database }) => putDatabase(registry, tenant.id, database),
  release(registry, { database: { id }, isNew }) {
    if (isNew) registry.dropThing(id)
  },
})

/** With its configuration, which is written where the tenant cannot reach it yet. */
function freshTree({ tenant, fqdn, app, database }: Target, machine: Machine): Step {
  const { places } = machine
  const { uid, gid } = tenant
  return handedOverTree({
    path: places.customers.freshDocroot(tenant.name, fqdn),
    staging: `${places.customers.trash}/new-${app}`,
    ...docrootOwnership(machine, tenant),
    builder: { uid: 0, gid: 0 },
    children: [
      {
        path: 'wp-config.php',
        secret: (files) => configText({ files, places }, { tenant: tenant.id, app }, database.name),
        ...{ mode: 0o400, uid, gid },
      },
    ],
  })
}

interface Part {
  /** Of the installation; each is run once. */
  readonly part: string
  readonly directory: string
  readonly command: TenantCommand
}

const mostSeconds = 300

function run(target: Target, machine: Machine, { part, directory, command }: Part, purpose: Purpose): Step {
  const { tenant, limits, fqdn, php } = target
  const wanted = { tenant, limits, fqdn, php, run: partOf(target.run, part), command, seconds: mostSeconds }
  const readable = [machine.places.web.applications]
  return endedRun({ ...runOf(wanted, machine), directory, readable }, purpose)
}

/** An id of its own for each command of one job, and always the same. */
function partOf(run: Id, part: string): Id {
  const hex = createHash('sha256').update(`${run} ${part}`).digest('hex')
  return Id.parse(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`,
  )
}

const free = (fqdn: Fqdn): Purpose => ({
  name: `nothing but a first page is in ${fqdn}`,
  failed: `Cannot install WordPress in "${fqdn}", its document root is not empty`,
  help: 'Take everything out of the document root first, or install in another domain.',
})

const unpacked: Purpose = {
  name: 'files of WordPress',
  failed: 'Cannot unpack WordPress',
  help: 'Look at the disk space of the tenant, and whether the archive that the administrator has put there is whole.',
}

const setUp: Purpose = {
  name: 'WordPress is set up',
  failed: 'Cannot set up WordPress',
  help: 'Its PHP needs the extension mysqli (package php-mysql); the archive must be a release of WordPress.',
}

const permalinks: Purpose = {
  name: 'addresses of pages are names',
  failed: 'Cannot choose the form of addresses',
  help: 'Try again; the installation was taken back.',
}

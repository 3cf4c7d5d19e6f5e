/** The overview: the machine's figures, its services, what it cannot enforce, and the jobs that need an eye. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asWcpError, type WcpError } from '../../contract/errors.ts'
import { fieldNamed } from '../../contract/fields.ts'
import { HealthSnapshot } from '../../contract/wire.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Command, Fact, Table } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import { condition as conditionKind } from '../../resources/condition/kind.ts'
import { Condition } from '../../resources/condition/schema.ts'
import { counts } from '../../resources/health/operations.ts'
import { job as jobKind } from '../../resources/job/kind.ts'
import { Job } from '../../resources/job/schema.ts'
import { tableOf } from '../../resources/kind.ts'
import { tenant as tenantKind } from '../../resources/tenant/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { firstSteps } from './first-steps.ts'
import type { HealthHistory } from './health-history.ts'
import { makerOf } from './list-routes.ts'
import type { PageKit } from './page-kit.ts'
import { listPath } from './places.ts'
import { type Point, type Sparkline, sparkline } from './sparkline.ts'

interface Figure {
  readonly name: string
  readonly value: string
  readonly unit: string
  readonly note: string
  /** 0 to 1. */
  readonly meter?: number
  readonly spark?: Sparkline
}

const ConditionPage = z.object({ items: z.array(Condition) })
const mostConditions = 10
const JobPage = z.object({ items: z.array(Job) })
const serviceTones = { running: 'good', stopped: 'idle', failed: 'bad', missing: 'bad' } as const

export function dashboardRoutes(app: FastifyInstance, kit: PageKit, history: HealthHistory): void {
  app.get('/', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const sale = makerOf(kit, request, tenantKind)
    const [health, attention, jobs, counts] = await Promise.all([
      machineHealth(kit, request),
      standingConditions(kit, request),
      notableJobs(kit, request),
      countsOf(kit, request),
    ])
    const seen = health instanceof Error ? null : health
    if (seen !== null) history.add(seen)
    return kit.send(request, reply, {
      template: 'overview/dashboard',
      title: t.overview.title,
      model: {
        head: {
          title: seen?.hostname ?? t.overview.title,
          lede: seen === null ? '' : `${t.overview.up} ${t.format.duration(seen.uptimeSeconds)}`,
          actions:
            sale === undefined ? [] : [{ title: t.overview.addTenant, href: `/do/${sale}`, main: true, icon: 'add' }],
        },
        unseen: health instanceof Error ? `${health.message}. ${health.help}` : null,
        figures: seen === null ? [] : figures(t, seen, history),
        attention,
        jobs,
        disks: seen === null || seen.disks.length < 2 ? null : seen.disks.map((disk) => diskLine(t, disk)),
        missing: seen?.missing ?? [],
        held: (seen?.brakes ?? []).filter(({ waiting }) => waiting > 0),
        counts: counts.map(({ kind, count, isMore }) => ({
          title: t.kinds[kind]?.many ?? kind,
          href: listPath(kind),
          text: `${count}${isMore ? '+' : ''}`,
        })),
        firstSteps: await firstSteps(kit, request, new Map(counts.map(({ kind, count }) => [kind, count]))),
        services: (seen?.services ?? []).map(({ name, state, detail }) => ({
          name,
          detail,
          badge: { text: t.services[state], tone: serviceTones[state] },
        })),
        versions: Object.entries(seen?.versions ?? {}).map(([title, code]): Fact => ({ title, code })),
        command: commandOf(kit, request),
      },
    })
  })
}

/** Of what this page shows, what this visitor may ask as a command. */
function commandOf(kit: PageKit, request: FastifyRequest): Command | null {
  const name = ['health.get', 'health.counts'].find((one) => kit.may(request, one))
  if (name === undefined) return null
  const operation = kit.operation(name)
  return { line: toCommandLine(operation, {}), call: apiCallText(apiCall(operation, {})) }
}

/** The error where the machine cannot be asked now; null where this visitor may not ask. */
async function machineHealth(kit: PageKit, request: FastifyRequest): Promise<HealthSnapshot | WcpError | null> {
  if (!kit.may(request, 'health.get')) return null
  try {
    const { value } = await kit.run(request, 'health.get', {})
    return HealthSnapshot.parse(value)
  } catch (error) {
    return asWcpError(error)
  }
}

function figures(t: Texts, health: HealthSnapshot, history: HealthHistory): Figure[] {
  const { memory, pressure, cpus, load } = health
  const memoryUsed = memory.total - memory.available
  const disk = health.disks.toSorted((a, b) => a.free / a.total - b.free / b.total)[0]
  const { lastHour: over, lowest, highest, now } = t.overview
  const graph = (points: readonly Point[], top: number, name: string, value = t.format.percent) =>
    sparkline(points, top, {
      name,
      over,
      lowest,
      highest,
      now,
      value,
      span: (seconds) => t.format.duration(seconds, 1),
    })
  return [
    {
      name: t.overview.load,
      value: t.format.fixed(load[0], 2),
      unit: `${t.overview.loadNote} ${cpus} ${cpus === 1 ? t.overview.oneCpu : t.overview.cpus}`,
      note: `${t.format.fixed(load[1], 2)} · ${t.format.fixed(load[2], 2)} ${t.overview.loadSpan}`,
      spark: graph(history.load, cpus, t.overview.load, (load) => t.format.fixed(load, 2)),
      meter: load[0] / cpus,
    },
    {
      name: t.overview.memory,
      value: t.format.percent((memoryUsed / memory.total) * 100),
      unit: '',
      note: memoryNote(t, memory),
      meter: memoryUsed / memory.total,
      spark: graph(history.memory, 100, t.overview.memory),
    },
    ...(disk === undefined
      ? []
      : [
          {
            name: `${t.overview.disk} ${disk.mount}`,
            value: t.format.percent((1 - disk.free / disk.total) * 100),
            unit: '',
            note: `${t.format.bytes(disk.total - disk.free)} ${t.overview.used} ${t.format.bytes(disk.total)} · ${t.format.percent(disk.inodesFreePct)} ${t.overview.inodes}`,
            meter: 1 - disk.free / disk.total,
          },
        ]),
    pressure === null
      ? { name: t.overview.pressure, value: '–', unit: '', note: t.overview.noPressure }
      : {
          name: t.overview.pressure,
          value: t.format.percent(Math.max(pressure.cpu, pressure.memorySome, pressure.ioSome)),
          unit: t.overview.waiting,
          note: `${t.overview.oneCpu} ${t.format.percent(pressure.cpu)} · ${t.overview.memory} ${t.format.percent(pressure.memorySome)} · ${t.overview.io} ${t.format.percent(pressure.ioSome)}`,
          meter: Math.max(pressure.cpu, pressure.memorySome, pressure.ioSome) / 100,
          spark: graph(history.pressure, 20, t.overview.pressure),
        },
  ]
}

function memoryNote(t: Texts, { total, available, swapTotal, swapFree }: HealthSnapshot['memory']): string {
  const used = `${t.format.bytes(total - available)} ${t.overview.used} ${t.format.bytes(total)}`
  return swapTotal > 0 ? `${used} · ${t.overview.swap} ${t.format.bytes(swapTotal - swapFree)}` : used
}

function diskLine(t: Texts, disk: HealthSnapshot['disks'][number]): object {
  const used = disk.total - disk.free
  return {
    mount: disk.mount,
    part: used / disk.total,
    note: `${t.format.bytes(used)} ${t.overview.used} ${t.format.bytes(disk.total)}`,
  }
}

/** null for who may not see conditions. */
async function standingConditions(kit: PageKit, request: FastifyRequest): Promise<Table | null> {
  if (!kit.may(request, 'condition.list')) return null
  const { value } = await kit.run(request, 'condition.list', { state: 'standing', limit: mostConditions })
  return tableOf(conditionKind, kit.textsOf(request), ConditionPage.parse(value).items)
}

/** Running and failed ones first; without any, the newest. */
async function notableJobs(kit: PageKit, request: FastifyRequest): Promise<{ title: string; table: object }> {
  const t = kit.textsOf(request)
  if (!kit.may(request, 'job.list')) return { title: t.overview.jobsNow, table: tableOf(jobKind, t, []) }
  const list = async (state?: string) => {
    const input = state === undefined ? { limit: 8 } : { state, limit: 5 }
    return JobPage.parse((await kit.run(request, 'job.list', input)).value).items
  }
  const canNarrow = fieldNamed(kit.operation('job.list').input, 'state') !== undefined
  const [newest, ...byState] = await Promise.all([
    list(),
    ...(canNarrow ? ['running', 'stalled', 'queued', 'failed'] : []).map((state) => list(state)),
  ])
  const seen = new Set<string>()
  const all = [...byState.flat(), ...newest].filter(({ id }) => !seen.has(id) && seen.add(id)).slice(0, 8)
  return { title: t.overview.jobs, table: tableOf(jobKind, t, all) }
}

/** How many there are of each kind, as far as they were counted. */
async function countsOf(kit: PageKit, request: FastifyRequest): Promise<z.output<typeof counts.output>['items']> {
  if (!kit.may(request, 'health.counts')) return []
  return counts.output.parse((await kit.run(request, 'health.counts', {})).value).items
}

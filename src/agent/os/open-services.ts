import { existsSync } from 'node:fs'
import { type DirectOptions, type DirectServices, openDirectServices } from './direct-services.ts'
import type { Services } from './services.ts'
import { systemdServices } from './systemd-services.ts'

export type OpenedServices =
  | { readonly kind: 'systemd'; readonly services: Services }
  | { readonly kind: 'direct'; readonly services: DirectServices }

/** systemd's where it is PID 1 (sd_booted(3)), direct supervision elsewhere. */
export async function openServices(
  options: DirectOptions & { readonly webGroup: string; readonly mayUseSystemd: boolean },
): Promise<OpenedServices> {
  if (options.mayUseSystemd && existsSync('/run/systemd/system')) {
    return { kind: 'systemd', services: systemdServices(options) }
  }
  return { kind: 'direct', services: await openDirectServices(options) }
}

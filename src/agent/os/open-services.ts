import { type DirectOptions, type DirectServices, openDirectServices } from './direct-services.ts'

export function openServices(options: DirectOptions & { readonly mayUseSystemd: boolean }): Promise<DirectServices> {
  return openDirectServices(options)
}

/** What an operator does to a managed file with an editor. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

export function writeIntoFpmConfig(root: string, tenant = 'acme'): void {
  appendFileSync(join(root, 'var/lib/wcp360-web/tenants', tenant, 'php-fpm.conf'), 'php_value[max_input_vars] = 5000\n')
}

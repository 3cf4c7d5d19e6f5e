import { existsSync } from 'node:fs'
import { PhpVersion } from '../../contract/values.ts'
import { fpmBinary } from './fpm-command.ts'

/** PHP versions whose FPM is installed now, newest first. */
export function installedPhp(): PhpVersion[] {
  return PhpVersion.options.filter((version) => existsSync(fpmBinary(version))).reverse()
}

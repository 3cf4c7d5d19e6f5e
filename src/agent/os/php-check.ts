/** Asks PHP itself whether it takes values of its settings. */
import { exec } from './exec.ts'
import { fpmBinary } from './fpm-command.ts'

/** Without a word of a script: PHP starts, says what it is set to, and ends. */
const ask = ['-d', 'display_startup_errors=1', '-d', 'log_errors=0', '-d', 'html_errors=0']
const mostAnswer = 1024 * 1024

/**
 * @param as whom PHP runs as; never root
 * @returns PHP's own words about what it refuses, undefined when it takes all of them
 */
export async function refusedByPhp(
  php: string,
  as: { readonly uid: number; readonly gid: number },
  values: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const wanted = Object.entries(values).flatMap(([name, value]) => ['-d', `${name}=${value}`])
  const { code, stdout, stderr } = await exec(fpmBinary(php), [...ask, ...wanted, '-i'], {
    ...{ as, outputLimit: mostAnswer },
  })
  const said = /PHP (?:Warning|Fatal error|Deprecated): +(?:PHP Startup: )?(.{1,300})/.exec(`${stderr}\n${stdout}`)?.[1]
  if (said !== undefined) return said.replace(/ in Unknown on line 0$/, '')
  const unknown = Object.keys(values).find((name) => !stdout.includes(`\n${name} => `))
  if (unknown !== undefined) return `it has no setting "${unknown}"`
  return code === 0 ? undefined : `it ended with code ${code}`
}

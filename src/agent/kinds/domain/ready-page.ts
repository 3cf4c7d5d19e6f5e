import type { Fqdn } from '../../../contract/values.ts'

/** The first page of a new site, the tenant's to replace. A host name needs no escaping. */
export function readyPage(fqdn: Fqdn): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${fqdn}</title>
</head>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 20vh auto; padding: 0 1rem">
<h1>This site is ready</h1>
<p>Put the files of ${fqdn} into its directory "public"; this page is index.html there.</p>
</body>
</html>
`
}

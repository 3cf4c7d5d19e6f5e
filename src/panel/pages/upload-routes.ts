/** The form by which a browser puts files into a directory of a site. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { below, encodeName } from '../../contract/file-path.ts'
import { usageLine } from '../../lib/command-spec.ts'
import { path, query } from '../../lib/safe-url.ts'
import { file } from '../../resources/file/kind.ts'
import { wordsOf } from '../../resources/kind.ts'
import { limits } from '../http/limits.ts'
import { hangUpAfter } from '../http/upload-body.ts'
import type { UploadForm } from '../http/upload-form.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { crumbsTo, type FilePage, subjectOf } from './file-routes.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'

export function uploadRoutes(app: FastifyInstance, kit: PageKit): void {
  const url = '/domains/:ref/files/upload'

  app.get<FilePage>(url, { config: { access: 'session' } }, async (request, reply) => {
    if (kit.may(request, 'file.upload')) return sendForm(kit, request, reply, null)
    throw new WcpError('forbidden', 'Cannot show a form for "file.upload": you may not use it, or not now')
  })

  app.post<FilePage>(
    url,
    {
      config: { access: 'session', takesFiles: true },
      handlerTimeout: limits.bytesTimeout,
      onRequest: async ({ raw }, reply) => hangUpAfter(raw, reply.raw),
    },
    async (request, reply) => {
      const words = wordsOf(kit.textsOf(request), file)
      const { ref, place } = subjectOf(request)
      const form = formOf(request)
      const names: string[] = []
      try {
        await putAll(kit, request, form, names)
        if (names.length === 0) throw nothingChosen()
        kit.deps.flash.put(request, 'good', words.uploaded(names))
        return reply.redirect(path`/domains/${ref}/files/in` + query({ path: place }), 303)
      } catch (thrown) {
        const error = asWcpError(thrown)
        await form.skip().catch(() => {}) // it has gone, or is hung up
        if (error.code === 'internal' || error.code === 'forbidden') throw thrown
        if (names.length > 0) kit.deps.flash.put(request, 'good', words.uploaded(names))
        return sendForm(kit, request, reply, error)
      }
    },
  )
}

/** One after the other, each a change of its own; the first that is refused is the last. @param names of those that are there */
async function putAll(
  kit: PageKit,
  request: FastifyRequest<FilePage>,
  { parts }: UploadForm,
  names: string[],
): Promise<void> {
  const { ref, place } = subjectOf(request)
  let replace = false
  for await (const part of parts) {
    if ('value' in part) replace ||= part.name === 'replace' && part.value === 'true'
    else if (part.fileName === '')
      part.bytes.resume() // none was chosen
    else {
      const name = encodeName(Buffer.from(part.fileName))
      const input = { domain: ref, path: below(place, name), replace }
      await kit.deps.run(request, kit.operation('file.upload'), input, { body: part.bytes })
      names.push(name)
    }
  }
}

function formOf({ body }: FastifyRequest): UploadForm {
  if (isRecord(body) && isRecord(body.upload)) return body.upload as unknown as UploadForm // by the parser of such forms
  throw new WcpError('malformed', 'Cannot read the form: send multipart/form-data')
}

function nothingChosen(): WcpError {
  return new WcpError('bad_input', 'Cannot upload: no file was chosen', {
    help: 'Choose one or several, and send again.',
  })
}

function sendForm(
  kit: PageKit,
  request: FastifyRequest<FilePage>,
  reply: FastifyReply,
  error: WcpError | null,
): FastifyReply {
  const { ref, place } = subjectOf(request)
  const t = kit.textsOf(request)
  const words = wordsOf(t, file)
  const operation = kit.operation('file.upload')
  return kit.send(request, reply, {
    template: 'files/upload',
    title: words.upload,
    status: error?.status ?? 200,
    model: {
      head: { title: words.upload, crumbs: crumbsTo(t, ref, place === '' ? '' : `${place}/`) },
      action: path`/domains/${ref}/files/upload` + query({ path: place }),
      cancel: path`/domains/${ref}/files/in` + query({ path: place }),
      words,
      hint: words.uploadHint(limits.formFiles),
      problem: error === null ? null : problemView(t, error),
      command: { line: usageLine(operation), call: apiCallText(apiCall(operation, { domain: ref })) },
    },
  })
}

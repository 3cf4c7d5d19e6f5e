/** Role `pam`: reads one request on standard input, asks PAM once, prints one answer. A child of the agent, as root. */
import { text } from 'node:stream/consumers'
import { koffi } from '../../program/native-koffi.ts'
import { type PamAnswer, PamRequest } from './pam.ts'

const PAM_SUCCESS = 0
const PAM_CONV_ERR = 19
const PAM_PROMPT_ECHO_OFF = 1
const PAM_PROMPT_ECHO_ON = 2
const PAM_TTY = 3
const PAM_RHOST = 4
const PAM_FAIL_DELAY = 10
const PAM_SILENT = 0x8000
const PAM_DISALLOW_NULL_AUTHTOK = 1
const flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK
/** sizeof(struct pam_response) */
const responseSize = 16

export async function main(): Promise<number> {
  const request = PamRequest.parse(JSON.parse(await text(process.stdin)))
  process.stdout.write(JSON.stringify(askPam(request)))
  return 0
}

export interface Question {
  /** File below /etc/pam.d. */
  readonly service: string
  readonly user: string
  readonly password: string
  /** Address of the asker for the modules' own logs; may be empty. */
  readonly from: string
}

/** Password and account, without PAM's own delay. Blocks while PAM thinks, so only in a process of its own. */
export function askPam({ service, user, password, from }: Question): PamAnswer {
  bound ??= bindPam() // koffi keeps type names for the whole process
  const pam = bound
  const converse = pam.onConversation((style) => {
    if (style === PAM_PROMPT_ECHO_OFF) return password
    return style === PAM_PROMPT_ECHO_ON ? user : null
  })
  const handle: [unknown] = [null]
  let code = pam.start(service, user, { conv: converse, appdata: null }, handle)
  if (code !== PAM_SUCCESS) return { ok: false, stage: 'start', reason: `pam_start answers ${code}` }
  pam.setPointer(handle[0], PAM_FAIL_DELAY, pam.noDelay)
  pam.setText(handle[0], PAM_TTY, 'wcp360')
  if (from !== '') pam.setText(handle[0], PAM_RHOST, from)
  let stage: PamAnswer['stage'] = 'authenticate'
  code = pam.authenticate(handle[0], flags)
  if (code === PAM_SUCCESS) {
    stage = 'account' // an expired account has a right password all the same
    code = pam.account(handle[0], flags)
  }
  const reason = code === PAM_SUCCESS ? '' : pam.explain(handle[0], code).slice(0, 200)
  pam.end(handle[0], code)
  return { ok: code === PAM_SUCCESS, stage: code === PAM_SUCCESS ? 'done' : stage, reason }
}

interface Pam {
  start(service: string, user: string, conversation: object, handle: [unknown]): number
  setText(handle: unknown, item: number, value: string): number
  setPointer(handle: unknown, item: number, value: unknown): number
  authenticate(handle: unknown, flags: number): number
  account(handle: unknown, flags: number): number
  explain(handle: unknown, code: number): string
  end(handle: unknown, code: number): number
  /** A pointer for `PAM_FAIL_DELAY` that does not sleep: the agent pads and limits tries itself (pam_fail_delay(3)). */
  readonly noDelay: unknown
  /** A conversation that answers each prompt by its style; null for what needs no answer. */
  onConversation(answer: (style: number) => string | null): unknown
}

let bound: Pam | undefined

/** The callbacks live until the process ends, which is soon. */
function bindPam(): Pam {
  const native = koffi()
  const libc = native.load('libc.so.6')
  const library = native.load('libpam.so.0')
  const Message = native.struct('wcp_pam_message', { style: 'int', text: 'const char *' })
  const Converse = native.proto('int wcp_pam_converse(int count, void *messages, void *responses, void *data)')
  const Delay = native.proto('void wcp_pam_delay(int code, unsigned int microseconds, void *data)')
  native.struct('wcp_pam_conv', { conv: native.pointer(Converse), appdata: 'void *' })
  const calloc = libc.func('void *calloc(size_t count, size_t size)')
  const strdup = libc.func('void *strdup(const char *text)')

  /** libpam frees the array and its strings (pam_conv(3)). */
  function conversation(answer: (style: number) => string | null) {
    return (count: number, messages: unknown, responses: unknown): number => {
      if (count < 1 || count > 32) return PAM_CONV_ERR
      const array: unknown = calloc(count, responseSize)
      const pointers: unknown[] = native.decode(messages, 'void *', count)
      for (const [index, pointer] of pointers.entries()) {
        const message: { style: number } = native.decode(pointer, Message)
        const reply = answer(message.style)
        if (reply !== null) native.encode(array, index * responseSize, 'void *', strdup(reply))
      }
      native.encode(responses, 'void *', array)
      return PAM_SUCCESS
    }
  }

  return {
    start: library.func(
      'int pam_start(const char *service, const char *user, const wcp_pam_conv *conv, _Out_ void **h)',
    ),
    setText: library.func('int pam_set_item(void *h, int type, const char *item)'),
    setPointer: library.func('pam_set_item', 'int', ['void *', 'int', 'void *']),
    authenticate: library.func('int pam_authenticate(void *h, int flags)'),
    account: library.func('int pam_acct_mgmt(void *h, int flags)'),
    explain: library.func('const char *pam_strerror(void *h, int code)'),
    end: library.func('int pam_end(void *h, int code)'),
    noDelay: native.register(() => {}, native.pointer(Delay)),
    onConversation: (answer) => native.register(conversation(answer), native.pointer(Converse)),
  }
}

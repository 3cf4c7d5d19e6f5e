/**
 * Finds passwords that are long enough and still the first ones to be tried: the commonest words of the published lists,
 * with the decoration people put on them to reach a length, and rows of the keyboard.
 */

const words = new Set(
  `password passwort passw0rd passphrase admin administrator root superuser welcome willkommen letmein changeme
  changethis default secret geheim login user username test testing tester guest master monkey dragon football baseball
  basketball superman batman spiderman pokemon starwars princess sunshine shadow michael jennifer jessica charlie
  iloveyou trustno whatever freedom computer internet server hosting website webmaster hostmaster panel wcp qwerty
  qwertz qwertyuiop qwertzuiop asdfgh asdfghjkl zxcvbn zxcvbnm yxcvbnm azerty abc abcd abcdef abcdefgh abcdefghijkl
  summer winter spring autumn january monday hello hallo cheese killer hunter ranger liverpool arsenal chelsea manchester
  company business nothing something correcthorsebatterystaple mypassword thisismypassword newpassword
  yourpassword passwordpassword mynoob access unknown google facebook linkedin michelle football`.split(/\s+/),
)

const rows = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
  'azertyuiopqsdfghjklmwxcvbn',
]

export function isCommonPassword(password: string): boolean {
  const text = password.toLowerCase()
  return isRepeated(text) || isRow(text) || undecorated(text).some((word) => words.has(word))
}

/** `aaaaaaaaaaaa`, `abcabcabcabc`, `passwordpassword`: less than a third of it says all. */
function isRepeated(text: string): boolean {
  for (let length = 1; length <= Math.min(4, text.length / 3); length++)
    if (
      text
        .slice(0, length)
        .repeat(Math.ceil(text.length / length))
        .startsWith(text)
    )
      return true
  return false
}

function isRow(text: string): boolean {
  return rows.some((row) => [row, [...row].reverse().join('')].some((one) => one.repeat(3).includes(text)))
}

/** The password without digits and signs at its ends, and with look-alikes turned back into letters. */
function undecorated(text: string): string[] {
  const looks: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }
  const core = text.replaceAll(/^[^a-z@$]+|[^a-z@$]+$/g, '')
  const read = text.replaceAll(/[0134577@$!]/g, (sign) => looks[sign] ?? sign)
  const forms = [core, core.replaceAll(/[0134577@$!]/g, (sign) => looks[sign] ?? sign), read].map((one) =>
    one.replaceAll(/[^a-z]/g, ''),
  )
  return forms.flatMap((one) => [
    one,
    one.slice(0, one.length / 2).repeat(2) === one ? one.slice(0, one.length / 2) : one,
  ])
}

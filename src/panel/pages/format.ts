/** Figures and moments in words. */

export { sizeText as bytes } from '../../lib/size-text.ts'

/** A share from 0 to 1 on the scale of the meters, 0 to 100. */
export function part(value: number): string {
  return (Math.min(1, Math.max(0, Number.isFinite(value) ? value : 0)) * 100).toFixed(1)
}

export function percent(value: number): string {
  return `${value.toFixed(value > 0 && value < 10 ? 1 : 0)} %`
}

/** `3 d 4 h`: the largest units that are not zero, two of them unless told. */
export function duration(seconds: number, most = 2): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + most)
    .flatMap(([value, unit]) => (value > 0 ? [`${value} ${unit}`] : []))
    .join(' ')
}

/** `4 min ago`; the exact moment belongs beside it in `title`. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000
  if (Number.isNaN(seconds)) return iso
  if (seconds < 0) return `in ${duration(-seconds, 1)}`
  return seconds < 5 ? 'just now' : `${duration(seconds, 1)} ago`
}

/** `2026-11-20 14:03:07 UTC` */
export function when(iso: string): string {
  return Number.isNaN(Date.parse(iso)) ? iso : `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

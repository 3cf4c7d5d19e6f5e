/** `1.5 GiB` @param fixed a number with so many digits behind the point, as its reader has it */
export function sizeText(value: number, fixed = (scaled: number, digits: number) => scaled.toFixed(digits)): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** power
  return `${fixed(scaled, power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`
}

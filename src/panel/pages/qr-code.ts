/** A QR code as one SVG path, with the four light modules around it that scanners need (ISO/IEC 18004 §9.1). */
import qrcode from 'qrcode-generator'

export interface QrCode {
  /** Modules on each side, with the margin. */
  readonly size: number
  /** Path data: one unit square for each dark module. */
  readonly path: string
}

const margin = 4

export function qrCode(text: string): QrCode {
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const count = code.getModuleCount()
  const at = Array.from({ length: count }, (_, index) => index)
  const squares = at.flatMap((row) =>
    at.filter((column) => code.isDark(row, column)).map((column) => `M${column + margin} ${row + margin}h1v1h-1z`),
  )
  return { size: count + 2 * margin, path: squares.join('') }
}

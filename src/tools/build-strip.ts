/**
 * Removes symbols and debug data from a linked ELF program, as `strip` does. Our own, so that the result does not
 * depend on the binutils of the machine, and so that one architecture can build for the other. Layout: elf(5).
 */

const SHT_NOBITS = 8
const SHF_ALLOC = 2n
const SECTION_HEADER = 64

/** Keeps what is loaded into memory plus the names of its sections; everything else must lie behind it, as linkers place it. */
export function stripElf(program: Buffer): Buffer {
  if (program.toString('latin1', 0, 6) !== '\x7fELF\x02\x01')
    throw new Error('Cannot strip: no 64-bit little-endian ELF file')
  const sections = readSections(program)
  const names = sections[program.readUInt16LE(62)]
  const firstDropped = sections.findIndex((section, index) => index > 0 && !section.isLoaded)
  const kept = sections.slice(0, firstDropped)
  if (names === undefined || sections.slice(firstDropped).some((section) => section.isLoaded)) {
    throw new Error('Cannot strip: loaded sections lie behind others')
  }

  const contentEnd = Math.max(...kept.map((section) => section.end))
  const namesAt = alignTo8(contentEnd)
  const headersAt = alignTo8(namesAt + names.size)
  const result = Buffer.alloc(headersAt + (kept.length + 1) * SECTION_HEADER)
  program.copy(result, 0, 0, contentEnd)
  program.copy(result, namesAt, names.offset, names.end)
  for (const [index, { header }] of [...kept, names].entries()) header.copy(result, headersAt + index * SECTION_HEADER)
  result.writeBigUInt64LE(BigInt(namesAt), headersAt + kept.length * SECTION_HEADER + 24)

  result.writeBigUInt64LE(BigInt(headersAt), 40)
  result.writeUInt16LE(kept.length + 1, 60)
  result.writeUInt16LE(kept.length, 62)
  return result
}

interface Section {
  readonly header: Buffer
  readonly isLoaded: boolean
  readonly offset: number
  readonly size: number
  readonly end: number
}

function readSections(program: Buffer): Section[] {
  const table = Number(program.readBigUInt64LE(40))
  return Array.from({ length: program.readUInt16LE(60) }, (_, index) => {
    const header = program.subarray(table + index * SECTION_HEADER, table + (index + 1) * SECTION_HEADER)
    const offset = Number(header.readBigUInt64LE(24))
    const size = Number(header.readBigUInt64LE(32))
    const end = header.readUInt32LE(4) === SHT_NOBITS ? offset : offset + size
    return { header, isLoaded: (header.readBigUInt64LE(8) & SHF_ALLOC) !== 0n, offset, size, end }
  })
}

function alignTo8(offset: number): number {
  return Math.ceil(offset / 8) * 8
}

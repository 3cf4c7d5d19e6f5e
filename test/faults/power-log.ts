/** Lines of the journal after a power cut: those that a cut or the emulator explains, and all others, which nobody should find. */

/** Our services say their level. */
const ours = /\bwcpd(-\w+)?\[\d+\]: \{"level":(?!10|20|30)/
const others =
  /\b(error|fail(s|ed|ure)?|corrupt(ed|ion)?|cannot|unable|unhandled|coredump|segfault|ordering cycle|oom|refused|denied)\b/i

/** Each with its reason. */
const explained: readonly RegExp[] = [
  /"msg":"job is resumed"/, // what the cut interrupted
  /systemd-journald.*(corrupted or uncleanly shut down, renaming and replacing)/, // the journal's own way after a cut
  /acpi PNP0A03.*fail to add MMCONFIG information/, // of the emulated board
  /kernel: (tsc: (Fast TSC calibration failed|Unable to calibrate)|calibrate_delay_direct)/, // a host too busy for its guest's timer
  /systemd-ssh-generator.*(AF_VSOCK|failed with exit status 1)/, // a machine without vsock
]

export function unexpectedLines(journal: string): string[] {
  const isLoud = (line: string) => (/\bwcpd(-\w+)?\[\d+\]: \{/.test(line) ? ours : others).test(line)
  return journal.split('\n').filter((line) => isLoud(line) && !explained.some((pattern) => pattern.test(line)))
}

/** What the kernel's quota has counted of a user, where a quota is on the file system. */
import { lastError, libc } from './libc.ts'
import type { DirectoryFd } from './walk.ts'

/** quotactl(2): `QCMD(Q_GETQUOTA, USRQUOTA)`. */
const getUserQuota = (0x800007 << 8) >>> 0
/** sizeof(struct if_dqblk), and where in it `dqb_curspace` and `dqb_valid` are. */
const recordBytes = 72
const spaceAt = 16
const validAt = 64
/** QIF_SPACE: the record tells what is occupied. */
const spaceIsValid = 2

/**
 * Bytes that all files of the user occupy on the file system of an open directory, wherever they lie there.
 *
 * The file system is named by the directory (quotactl_fd(2), Linux 5.14): its device is hidden from the agent. A user may ask for
 * its own figures, so the process is this user for the moment of the call: what the kernel wants otherwise is CAP_SYS_ADMIN.
 *
 * @returns why there is no answer otherwise: `ESRCH` or `ENOSYS` where no quota is on
 */
export function quotaUse(directory: DirectoryFd, uid: number): number | string {
  const record = Buffer.alloc(recordBytes)
  const root = process.geteuid?.() ?? 0
  process.seteuid?.(uid)
  try {
    if (libc().quotactlFd(directory, getUserQuota, uid, record) !== 0) return lastError()
  } finally {
    process.seteuid?.(root)
  }
  const isSaid = (record.readUInt32LE(validAt) & spaceIsValid) !== 0
  return isSaid ? Number(record.readBigUInt64LE(spaceAt)) : 'ENODATA'
}

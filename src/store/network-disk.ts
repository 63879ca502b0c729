/** What statfs(2) says of file systems whose disk is another machine's, where SQLite's locks and flushes do not hold. */
const networkDisks: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x01021997, "9p"],
]);

/**
 * The kind of network disk that a file system's number on Linux means; undefined for all others. FUSE is none of them: it may
 * be a disk of this machine.
 */
export function networkDisk(type: number): string | undefined {
  // Some processors hand the 32 bits of the number over with a sign.
  return networkDisks.get(type >>> 0);
}
